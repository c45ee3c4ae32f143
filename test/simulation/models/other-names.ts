import type { ProducerIdentity, TransactionRequests } from '../../../lib/ports/kafka-requests.ts';
import type { AbortAnswer, CommitAnswer, PrepareAnswer, ResolveAnswer, SendAnswer, StageFailed } from '../../../lib/protocol/answers.ts';
import { asCommittable, CONNECTOR, kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';

/**
 * Another build's rule for the names of transactions: the two ids of a sink subtask the other way round. Both builds use
 * the same ids, so that each settles what the other has left open; only which of the two an epoch has is different.
 */
function otherName(transactionalId: string): string {
  return transactionalId.replace(/[01]$/, (turn) => (turn === '0' ? '1' : '0'));
}

function renamed<Who extends ProducerIdentity>(who: Who): Who {
  return { ...who, transactionalId: otherName(who.transactionalId) };
}

/** What a sink that prepares by the other rule sends. */
export function withOtherNames(kafka: TransactionRequests): TransactionRequests {
  return {
    ...kafka,
    initProducerId: (id, timeoutMs) => kafka.initProducerId(otherName(id), timeoutMs),
    addPartitions: (who, partitions) => kafka.addPartitions(renamed(who), partitions),
    produce: (who, leader, batches) => kafka.produce(who === undefined ? who : renamed(who), leader, batches),
    endTxn: (who, commit) => kafka.endTxn(renamed(who), commit),
  };
}

/** What it answers. Of other connectors' sinks both builds say the same. */
export function answerWithOtherNames<Answer extends PrepareAnswer | CommitAnswer | SendAnswer | ResolveAnswer | AbortAnswer | StageFailed>(
  answer: Answer,
): Answer {
  return answer.outcome === 'prepared' && answer.committable?.connector === CONNECTOR
    ? { ...answer, committable: asCommittable(renamed(kafkaCommittable(answer.committable))) }
    : answer;
}
