import { answerOf, worstOf } from '../ports/broker-answers.ts';
import type { KafkaAnswer, LogRequests, ProducerIdentity, TransactionRequests } from '../ports/kafka-requests.ts';
import type { Cluster } from './cluster.ts';
import { codecs } from './codecs.ts';
import { describeProducersRequest } from './describe-producers-request.ts';
import { offsetFetchRequest } from './offset-fetch-request.ts';
import type { Resource } from './problems.ts';
import { produceRequest } from './produce-request.ts';
import { NoAnswer } from './wire-request.ts';

const NO_PRODUCER = { producerId: '-1', producerEpoch: -1 };

/** `produceTimeoutMs`: how long a leader may wait for its replicas. */
export function transactionRequests(cluster: Cluster, produceTimeoutMs: number): Omit<TransactionRequests, keyof LogRequests> {
  return {
    async initProducerId(transactionalId, transactionTimeoutMs) {
      const request = await codecs.initProducerId(transactionalId, transactionTimeoutMs);
      const { answer, response } = await cluster.sendToCoordinator(
        'transaction',
        transactionalId,
        request,
        codeIn,
        idResource(transactionalId),
      );
      if (answer !== 'NONE' || response === undefined) return { answer, ...NO_PRODUCER };
      return { answer, producerId: response.producerId, producerEpoch: response.producerEpoch };
    },

    async addPartitions(who, partitions) {
      const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, of]) => ({
        topic,
        partitions: of.map(({ partition }) => partition),
      }));
      const request = await codecs.addPartitionsToTxn({ ...fieldsOf(who), topics });
      const about: Resource = { kind: 'topic', name: topics.map(({ topic }) => topic).join(', ') };
      return (
        await cluster.sendToCoordinator(
          'transaction',
          who.transactionalId,
          request,
          ({ errors }) => worstIn(errors.flatMap((topic) => topic.partitionErrors)),
          about,
        )
      ).answer;
    },

    async produce(who, leader, batches) {
      const response = await cluster.sendTo(leader, 'produce', produceRequest(who?.transactionalId, batches, produceTimeoutMs));
      if (response instanceof NoAnswer) return { answer: 'NO_ANSWER', baseOffsets: batches.map(() => -1) };
      cluster.logRefusal('Produce', response.answer, { kind: 'topic', name: [...new Set(batches.map(({ topic }) => topic))].join(', ') });
      const { answer, baseOffsets, refused } = response;
      return { answer, baseOffsets, refused };
    },

    async endTxn(who, commit) {
      const request = await codecs.endTxn({ ...fieldsOf(who), transactionResult: commit });
      return (await cluster.sendToCoordinator('transaction', who.transactionalId, request, codeIn, idResource(who.transactionalId))).answer;
    },

    async offsetFetch(groupId, { topic, partition }) {
      const request = offsetFetchRequest(groupId, topic, [partition], true);
      const { answer, response } = await cluster.sendToCoordinator(
        'group',
        groupId,
        request,
        (found) => worstOf([found.answer, found.partitions.get(partition)?.answer ?? 'UNKNOWN_SERVER_ERROR']),
        { kind: 'group', name: groupId },
      );
      const found = answer === 'NONE' ? response?.partitions.get(partition) : undefined;
      return { answer, offset: found?.offset };
    },

    async describeProducers(leader, topic, partitions) {
      const response = await cluster.readFrom(leader, 'control', describeProducersRequest(topic, partitions));
      if (response instanceof NoAnswer) return { answer: 'NO_ANSWER', producers: [] };
      const answer = worstOf(response.partitions.map((partition) => partition.answer));
      cluster.logRefusal('DescribeProducers', answer, { kind: 'topic', name: topic });
      return { answer, producers: response.partitions.flatMap(({ producers }) => producers) };
    },

    leaders: (topic, seen) => cluster.leaders(topic, seen),
    forgetLeaders: (topic) => cluster.forgetLeaders(topic),
  };
}

/** Without what else the object may carry: a committable is an identity too. */
function fieldsOf({ transactionalId, producerId, producerEpoch }: ProducerIdentity): ProducerIdentity {
  return { transactionalId, producerId, producerEpoch };
}

function idResource(transactionalId: string): Resource {
  return { kind: 'transactional id', name: transactionalId };
}

function codeIn(response: { readonly errorCode: number }): KafkaAnswer {
  return answerOf(response.errorCode);
}

function worstIn(partitions: readonly { readonly errorCode: number }[]): KafkaAnswer {
  return worstOf(partitions.map(codeIn));
}
