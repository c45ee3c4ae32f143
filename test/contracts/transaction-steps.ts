import type { TransactionRequests } from '../../lib/ports/kafka-requests.ts';
import type { OnMissingEvidence } from '../../lib/protocol/requests.ts';
import type { CommitOutcome } from '../../lib/sinks/connector.ts';
import { checkPrepared, type PreparedCheck } from '../../lib/sinks/kafka/check-prepared.ts';
import { commitTransaction } from '../../lib/sinks/kafka/commit.ts';
import type { KafkaCommittable } from '../../lib/sinks/kafka/committable.ts';
import { abortTransaction } from '../../lib/sinks/kafka/left-open.ts';
import { type Fate, lookAt } from '../../lib/sinks/kafka/look.ts';
import { type PrepareOutcome, prepareTransaction } from '../../lib/sinks/kafka/prepare.ts';
import { type ResolveOutcome, resolveTransaction } from '../../lib/sinks/kafka/resolve.ts';
import { type SettleOutcome, settleTransactions } from '../../lib/sinks/kafka/settle.ts';
import type { StagedSection } from '../../lib/sinks/kafka/staged-output.ts';
import { encodeBatch } from '../simulation/models/wire.ts';
import { permitOf } from '../support/decided.ts';
import type { KafkaUnderTest } from './kafka-transactions.ts';

const PATIENCE_MS = 20_000;
export const TIMEOUT_MS = 60_000;
export const EPOCH = 4;
const permit = permitOf(4, 'decision');

/** By partition, the values that a sink has staged for it. */
export type Values = Readonly<Record<number, readonly string[]>>;

export interface Steps {
  /** Throws what it failed of. */
  prepare(job: string, topic: string, values: Values, kafka?: TransactionRequests): Promise<KafkaCommittable>;
  tryPrepare(job: string, topic: string, values: Values, kafka?: TransactionRequests): Promise<PrepareOutcome>;
  check(...prepared: KafkaCommittable[]): Promise<PreparedCheck>;
  commit(committable: KafkaCommittable, compacted?: string[]): Promise<CommitOutcome>;
  resolve(
    committable: KafkaCommittable,
    topic: string,
    values: Values,
    kafka?: TransactionRequests,
    compacted?: string[],
    onMissingEvidence?: OnMissingEvidence,
  ): Promise<ResolveOutcome>;
  /** Resolves and commits until it is committed: how many times output was sent again. */
  resolveUntilCommitted(committable: KafkaCommittable, topic: string, values: Values): Promise<number>;
  abort(committable: KafkaCommittable): Promise<string>;
  settle(transactionalId: string, topic: string): Promise<SettleOutcome>;
  fates(committable: KafkaCommittable, compacted?: string[]): Promise<readonly Fate[]>;
  /** The same, once its end is in the log everywhere. */
  ended(committable: KafkaCommittable): Promise<readonly Fate[]>;
}

/** The steps of the engine's transactions on a broker, as the tests of it take them. */
export function stepsOn(under: KafkaUnderTest): Steps {
  const clock = { now: under.nowMs, elapsedMs: under.nowMs, sleep: (ms: number) => under.sleep(ms) };
  const asking = (kafka: TransactionRequests = under.kafka) => ({
    kafka,
    clock,
    random: { id: () => '', fraction: Math.random },
    deadlineMs: under.nowMs() + PATIENCE_MS,
  });
  /** As a sink gets it: who sends it is not in it yet. */
  const staged = (topic: string, values: Values) => async (): Promise<StagedSection[]> =>
    Object.entries(values).map(([partition, own]) => ({
      topic,
      partition: Number(partition),
      batches: encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: under.nowMs() }, own),
    }));

  const steps: Steps = {
    tryPrepare: (job, topic, values, kafka) =>
      prepareTransaction(asking(kafka), {
        job,
        incarnation: 'one',
        sink: 'write',
        subtask: 0,
        topics: [topic],
        epoch: EPOCH,
        transactionTimeoutMs: TIMEOUT_MS,
        staged: staged(topic, values),
      }),
    async prepare(job, topic, values, kafka) {
      const prepared = await steps.tryPrepare(job, topic, values, kafka);
      if (prepared.outcome !== 'prepared' || prepared.committable === undefined) throw new Error(JSON.stringify(prepared));
      return prepared.committable;
    },
    check: (...prepared) => checkPrepared(asking(), prepared),
    commit: (committable, compacted = []) =>
      commitTransaction(asking(), permit, committable, { compacted: new Set(compacted), isOld: true }),
    resolve: (committable, topic, values, kafka, compacted = [], onMissingEvidence = 'stop') =>
      resolveTransaction(asking(kafka), {
        permit,
        committable,
        transactionTimeoutMs: TIMEOUT_MS,
        compacted: new Set(compacted),
        onMissingEvidence,
        staged: staged(topic, values),
      }),
    async resolveUntilCommitted(committable, topic, values) {
      let newest = committable;
      let sentAgain = 0;
      for (let tries = 0; tries < 10; tries++) {
        if ((await steps.commit(newest)).outcome === 'committed') return sentAgain;
        const resolved = await steps.resolve(newest, topic, values);
        if (resolved.outcome === 'committed') return sentAgain;
        if (resolved.outcome === 'no-evidence') throw new Error(resolved.message);
        if (resolved.outcome !== 'sent-again') continue;
        if ((await steps.check(resolved.committable)).outcome !== 'sound') continue;
        newest = resolved.committable;
        sentAgain++;
      }
      throw new Error('it does not come to an end');
    },
    abort: (committable) => abortTransaction(asking(), committable),
    settle: (transactionalId, topic) => settleTransactions(asking(), TIMEOUT_MS, [{ transactionalId, topics: [topic] }]),
    async ended(committable) {
      for (let tries = 0; ; tries++) {
        const fates = await steps.fates(committable);
        if (!fates.includes('undecided') || tries === 200) return fates;
        await under.sleep(25);
      }
    },
    fates: async (committable, compacted = []) => (await lookAt(asking(), committable, new Set(compacted))).map(({ fate }) => fate),
  };
  return steps;
}
