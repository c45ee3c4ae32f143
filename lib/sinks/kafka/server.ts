import type { TransactionRequests } from '../../ports/kafka-requests.ts';
import type { CommitTerms, PreparedServer, PrepareOutcome, ResolveOutcome, ResolveTerms, Staged, Until } from '../connector.ts';
import { commitTransaction } from './commit.ts';
import { asCommittable, type KafkaCommittable, kafkaCommittable } from './committable.ts';
import { commitTerms, prepareTerms } from './facts.ts';
import { abortTransaction } from './left-open.ts';
import { type PrepareOutcome as Prepared, prepareNothing, prepareTransaction } from './prepare.ts';
import { type ResolveOutcome as Resolved, resolveTransaction } from './resolve.ts';
import { decodeStagedOutput, type StagedSection } from './staged-output.ts';

/** The half in the sink's function: one transaction for each epoch and subtask. */
export function serveKafka(kafka: TransactionRequests): PreparedServer {
  const asking = ({ clock, random, deadlineMs }: Until) => ({ clock, random, deadlineMs, kafka });
  return {
    how: 'prepared',
    async prepare(until, place, terms, staged) {
      const request = { ...place, ...prepareTerms(terms) };
      const prepared = staged.isEmpty
        ? await prepareNothing(asking(until), request)
        : await prepareTransaction(asking(until), { ...request, staged: () => sectionsOf(staged) });
      return carried(prepared);
    },
    async commit(until, permit, committable, { terms, isOld }: CommitTerms) {
      const compacted = new Set(commitTerms(terms).compacted);
      return commitTransaction(asking(until), permit, kafkaCommittable(committable), { compacted, isOld });
    },
    async resolve(until, permit, committable, { terms, onMissingEvidence, missing }: ResolveTerms, staged) {
      const { compacted, transactionTimeoutMs = 0 } = commitTerms(terms);
      const of = kafkaCommittable(committable);
      const request = { permit, committable: of, transactionTimeoutMs, compacted: new Set(compacted), onMissingEvidence, missing };
      return told(of, await resolveTransaction(asking(until), { ...request, staged: () => sectionsOf(staged) }));
    },
    async abort(until, committable) {
      await abortTransaction(asking(until), kafkaCommittable(committable));
    },
  };
}

/** The sections of every staged blob, in order, as buffers that may be written to. */
export async function sectionsOf(staged: Staged): Promise<StagedSection[]> {
  return (await staged.read()).flatMap(({ payload, name }) => decodeStagedOutput(payload, name));
}

function carried(prepared: Prepared): PrepareOutcome {
  if (prepared.outcome === 'failed') return prepared;
  const { committable } = prepared;
  return { outcome: 'prepared', committable: committable === undefined ? undefined : asCommittable(committable) };
}

function told({ epoch }: KafkaCommittable, resolved: Resolved): ResolveOutcome {
  if (resolved.outcome === 'sent-again') return { outcome: 'sent-again', committable: asCommittable(resolved.committable) };
  if (resolved.outcome !== 'unsettled') return resolved;
  const { unknownTopic, ...rest } = resolved;
  return { ...rest, ...(unknownTopic !== undefined && { gone: goneTopicText(epoch, unknownTopic) }) };
}

function goneTopicText(epoch: number, topic: string): string {
  return `epoch ${epoch} is decided, and no broker knows its topic ${topic} any more: it is gone, or was made anew with fewer partitions, and whether the output was committed cannot be told. Make it anew with as many as it had, or start once with ONCEFLOW_ON_MISSING_EVIDENCE=committed, which gives that output up ("Missing evidence" in docs/runbook.md)`;
}
