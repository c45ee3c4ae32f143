import { clusterOf, inCluster } from '../config/clusters.ts';
import { sentAgainIn } from '../epoch/commit/newest-committables.ts';
import { isLeaseLive } from '../epoch/start/may-start.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import {
  type FetchRange,
  KafkaProblem,
  type KafkaRequests,
  type TopicPartition,
  type TransactionDescription,
} from '../ports/kafka-requests.ts';
import { isOfOneSubtask } from '../protocol/committable.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { sinksOf } from '../protocol/pool.ts';
import { CONNECTOR, type KafkaCommittable, kafkaCommittable } from '../sinks/kafka/committable.ts';
import { topicsIn } from '../sinks/kafka/coordination.ts';
import { poolIds } from '../sinks/kafka/ids.ts';
import { type OpenTransaction, readOpen } from '../sinks/kafka/left-open.ts';
import { lookBackAt } from '../sinks/kafka/look.ts';
import { type Openness, opennessOf } from '../sinks/kafka/open.ts';
import { type Blobs, createBlobs } from '../storage/blobs.ts';
import type { InspectDeps } from './deps.ts';
import { manifestIn } from './manifest.ts';

/** Every transactional id of a job as Kafka has it, and the readers that wait for one. */
export interface JobTransactions {
  readonly job: string;
  readonly incarnation: string;
  /** A coordinator holds the job: what is open is its work. */
  readonly isRun: boolean;
  readonly transactions: readonly InspectedTransaction[];
  readonly readersHeldUp: readonly HeldPartition[];
  /** Partitions among them, as `topic-partition`, in which records of the job are open whose end a broker forgot (KAFKA-20734). */
  readonly heldUpByForgotten: readonly string[];
  /** The others in which none of the job's own transactions is open. */
  readonly heldUpByOthers: readonly string[];
}

export interface InspectedTransaction {
  readonly transactionalId: string;
  /** As Kafka calls it. */
  readonly state: string;
  readonly openness: Openness;
  readonly openForMs: number | null;
  readonly lastEpoch: EpochFate | null;
  /** Partitions in which readers wait and which this transaction writes to. */
  readonly holdsUp: readonly string[];
  readonly endsBy: EndsBy;
}

/** Who will end a transaction. */
export type EndsBy =
  | { readonly by: 'is-over' }
  /** It is writing the markers already. */
  | { readonly by: 'broker' }
  /** It is of an epoch that was decided: its commit. `isUnderWay`: the coordinator's, else that of the next start or stop. */
  | { readonly by: 'commit'; readonly epoch: number; readonly isUnderWay: boolean }
  /** It is not decided, and the coordinator works on it. */
  | { readonly by: 'attempt' }
  /** It is not decided, and was left: the next start, stop or cancel, or the broker after this time. */
  | { readonly by: 'whoever-is-next'; readonly brokerInMs: number };

/** In one partition `committed`, `aborted`, `undecided` …; where partitions differ, all that there are. */
export interface EpochFate {
  readonly epoch: number;
  readonly fate: string;
}

/** A partition of a sink's topic whose committed records end before its records do: readers of committed data wait there. */
export interface HeldPartition extends TopicPartition {
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

export interface TransactionFacts {
  readonly row: JobRow;
  /** Of the last completed epoch: its manifest's, or what took their place when it was sent again. */
  readonly newest: readonly KafkaCommittable[];
  readonly transactions: readonly TransactionDescription[];
  /** By transactional id, of the last epoch: what the log shows. */
  readonly fates: ReadonlyMap<string, EpochFate>;
  readonly held: readonly HeldPartition[];
  /** In these partitions: what is open, by their leaders. */
  readonly open: readonly OpenTransaction[];
  readonly nowMs: number;
}

/** Undefined: there is no such job. */
export async function readTransactions(deps: InspectDeps): Promise<JobTransactions | undefined> {
  const row = await deps.epochs.readJob(deps.job);
  if (row === undefined) return undefined;
  const kafka = await deps.kafka();
  const newest = await newestOf(deps, row, await lastManifest(deps, row));
  const ids = poolIds(row.job, row.incarnation, sinksOf(row.pool, CONNECTOR));
  const sinkTopics = topicsOf(row, newest);
  const before = await heldPartitions(kafka, sinkTopics);
  const [found, fates] = await Promise.all([kafka.describeTransactions(ids), readFates(deps, kafka, newest)]);
  const held = stillHeld(before, before.length === 0 ? [] : await heldPartitions(kafka, sinkTopics));
  const open = await openIn(deps, kafka, held);
  return transactionsOf({ row, newest, transactions: found, fates, held, open, nowMs: deps.clock.now() });
}

/** What the facts say of each transactional id, and of readers. */
export function transactionsOf(facts: TransactionFacts): JobTransactions {
  const { row, held, nowMs } = facts;
  const transactions = facts.transactions.map((transaction) => inspected(facts, transaction));
  const explained = new Set(transactions.flatMap(({ holdsUp }) => holdsUp));
  // Producer ids of two clusters mean nothing to each other.
  const own = new Set(facts.transactions.map(({ transactionalId, producerId }) => inCluster(clusterOf(transactionalId), producerId)));
  const isOwn = ({ topic, producerId }: OpenTransaction) => own.has(inCluster(clusterOf(topic), producerId));
  const forgotten = new Set(facts.open.filter(isOwn).map(partitionName));
  const unexplained = held.map(partitionName).filter((name) => !explained.has(name));
  return {
    job: row.job,
    incarnation: row.incarnation,
    isRun: isLeaseLive(row, nowMs),
    transactions,
    readersHeldUp: held,
    heldUpByForgotten: unexplained.filter((name) => forgotten.has(name)),
    heldUpByOthers: unexplained.filter((name) => !forgotten.has(name)),
  };
}

function inspected(facts: TransactionFacts, transaction: TransactionDescription): InspectedTransaction {
  const { transactionalId, state, startedAtMs, partitions } = transaction;
  const openness = opennessOf(transaction);
  const writes = new Set(openness === 'over' ? [] : partitions.map(partitionName));
  return {
    transactionalId,
    state,
    openness,
    openForMs: openness === 'over' || startedAtMs === undefined ? null : facts.nowMs - startedAtMs,
    lastEpoch: facts.fates.get(transactionalId) ?? null,
    holdsUp: facts.held.map(partitionName).filter((name) => writes.has(name)),
    endsBy: endOf(facts, transaction, openness),
  };
}

function endOf({ row, newest, nowMs }: TransactionFacts, transaction: TransactionDescription, openness: Openness): EndsBy {
  if (openness === 'over') return { by: 'is-over' };
  if (openness === 'ending') return { by: 'broker' };
  const { transactionalId, producerId, producerEpoch, startedAtMs, timeoutMs } = transaction;
  const committable = newest.find((each) => each.transactionalId === transactionalId);
  const isDecided = committable?.producerId === producerId && committable.producerEpoch === producerEpoch;
  const isRun = isLeaseLive(row, nowMs);
  if (isDecided) return { by: 'commit', epoch: committable.epoch, isUnderWay: isRun };
  if (isRun) return { by: 'attempt' };
  return { by: 'whoever-is-next', brokerInMs: startedAtMs === undefined ? timeoutMs : startedAtMs + timeoutMs - nowMs };
}

/** The manifest of the last completed epoch. */
async function lastManifest(deps: InspectDeps, row: JobRow): Promise<Manifest | undefined> {
  if (row.lastCompleted === undefined) return undefined;
  const epoch = await deps.epochs.readEpoch(row.job, row.incarnation, row.lastCompleted.epoch);
  return epoch === undefined ? undefined : manifestIn(deps, epoch);
}

/** Those that are Kafka's. */
async function newestOf(deps: InspectDeps, { sentAgain }: JobRow, last: Manifest | undefined): Promise<KafkaCommittable[]> {
  if (last === undefined) return [];
  const blobs = { read: async (...of: Parameters<Blobs['read']>) => createBlobs(await deps.blobStore(), deps.random).read(...of) };
  const again = sentAgain?.decisionId === last.decisionId ? await sentAgainIn(blobs, sentAgain) : [];
  const newest = last.committables.map((of) => again.find((one) => isOfOneSubtask(one, of)) ?? of);
  return newest.filter(({ connector }) => connector === CONNECTOR).map(kafkaCommittable);
}

function topicsOf(row: JobRow, newest: readonly KafkaCommittable[]): string[] {
  const recorded = Object.values(sinksOf(row.pool, CONNECTOR)).flatMap(({ places }) => places);
  return [...new Set([...recorded, ...newest.flatMap(topicsIn)])];
}

/** What the log shows of each transaction of the last epoch. */
async function readFates(deps: InspectDeps, kafka: KafkaRequests, newest: readonly KafkaCommittable[]): Promise<Map<string, EpochFate>> {
  const asking = { kafka, clock: deps.clock, random: deps.random, deadlineMs: deps.clock.elapsedMs() + LOOK_TIMEOUT_MS };
  const looked = newest
    .filter(({ marker }) => marker === undefined)
    .map(async (of) => {
      const fates = new Set((await lookBackAt(asking, of, NOT_COMPACTED)).map(({ fate }) => fate));
      return [of.transactionalId, { epoch: of.epoch, fate: [...fates].sort().join(', ') }] as const;
    });
  return new Map(await Promise.all(looked));
}

const LOOK_TIMEOUT_MS = 5_000;
/** For people the list of aborted transactions is good enough. */
const NOT_COMPACTED: ReadonlySet<string> = new Set();

async function heldPartitions(kafka: KafkaRequests, topics: readonly string[]): Promise<HeldPartition[]> {
  const ranges = await Promise.all(topics.map((topic) => stableEnds(kafka, topic)));
  // Nothing is there to be read: what the answer is asked for are its two offsets.
  const fetched = await kafka.fetch(ranges.flat(), { maxBytes: 1, maxWaitMs: 0, minBytes: 0 });
  return fetched
    .filter(({ answer, lastStableOffset, highWatermark }) => answer === 'NONE' && lastStableOffset < highWatermark)
    .map(({ topic, partition, lastStableOffset, highWatermark }) => ({ topic, partition, lastStableOffset, highWatermark }));
}

/** What holds up readers there. The transactions' coordinator knows of no end that was forgotten in a partition; its leader does. */
async function openIn({ clock, random }: InspectDeps, kafka: KafkaRequests, held: readonly HeldPartition[]): Promise<OpenTransaction[]> {
  const asking = { kafka, clock, random, deadlineMs: clock.elapsedMs() + LOOK_TIMEOUT_MS };
  const readings = [...Map.groupBy(held, ({ topic }) => topic)].map(async ([topic, of]) => {
    const { open } = await readOpen(
      asking,
      topic,
      of.map(({ partition }) => partition),
    );
    return open.filter((one) =>
      of.some(({ partition, lastStableOffset }) => partition === one.partition && lastStableOffset >= one.openSince),
    );
  });
  return (await Promise.all(readings)).flat();
}

/** A topic that the job wrote to once, and that is gone, holds nobody up. */
async function stableEnds(kafka: KafkaRequests, topic: string): Promise<FetchRange[]> {
  try {
    const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
    const stable = await kafka.offsets(topic, partitions, 'latest');
    return partitions.map((partition) => ({ topic, partition, offset: stable[partition] ?? 0, maxBytes: 1 }));
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
    throw error;
  }
}

/** Held by the same transaction all the while: it was there when the transactions were described. */
function stillHeld(before: readonly HeldPartition[], after: readonly HeldPartition[]): HeldPartition[] {
  const seen = new Set(before.map((held) => `${partitionName(held)} ${held.lastStableOffset}`));
  return after.filter((held) => seen.has(`${partitionName(held)} ${held.lastStableOffset}`));
}

/** As people write it: `topic-partition`. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
