import { isLeaseLive } from '../lib/epoch/may-start.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import type { KafkaRequests, TopicPartition, TransactionDescription } from '../lib/ports/kafka-requests.ts';
import type { Manifest } from '../lib/protocol/manifest.ts';
import { poolIds } from '../lib/transactions/ids.ts';
import { lookAt } from '../lib/transactions/look.ts';
import { type Openness, opennessOf } from '../lib/transactions/open.ts';
import { type CommandResult, EXIT } from './exit-codes.ts';
import { manifestIn } from './lag.ts';
import { noSuchJob } from './status.ts';
import { duration, paint, plural, tableOf } from './text.ts';
import type { Tools } from './tools.ts';

/** A partition of a sink's topic whose committed records end before its records do: readers of committed data wait there. */
export interface HeldPartition extends TopicPartition {
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

export interface TransactionFacts {
  readonly row: JobRow;
  /** Of the last completed epoch. */
  readonly last: Manifest | undefined;
  readonly transactions: readonly TransactionDescription[];
  /** By transactional id, of the last epoch: what the log shows. */
  readonly fates: ReadonlyMap<string, EpochFate>;
  readonly held: readonly HeldPartition[];
  readonly nowMs: number;
}

/** In one partition `committed`, `aborted`, `undecided` …; where partitions differ, all that there are. */
export interface EpochFate {
  readonly epoch: number;
  readonly fate: string;
}

/** Every transactional id of the job as Kafka has it. */
export async function transactions(tools: Tools): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const kafka = await tools.kafka();
  const last = await lastManifest(tools, row);
  const ids = poolIds(row.job, row.incarnation, row.pool);
  const sinkTopics = topicsOf(row, last);
  const before = await heldPartitions(kafka, sinkTopics);
  const [found, fates] = await Promise.all([kafka.describeTransactions(ids), readFates(tools, kafka, row, last)]);
  const held = stillHeld(before, before.length === 0 ? [] : await heldPartitions(kafka, sinkTopics));
  return transactionsResult({ row, last, transactions: found, fates, held, nowMs: tools.clock.now() });
}

/** The manifest of the last completed epoch. */
async function lastManifest(tools: Tools, row: JobRow): Promise<Manifest | undefined> {
  if (row.lastCompleted === undefined) return undefined;
  const epoch = await tools.epochs.readEpoch(row.job, row.incarnation, row.lastCompleted.epoch);
  return epoch === undefined ? undefined : manifestIn(tools, epoch);
}

function topicsOf(row: JobRow, last: Manifest | undefined): string[] {
  const written = last?.committables.flatMap((of) => [
    ...of.written.map(({ topic }) => topic),
    ...(of.marker === undefined ? [] : [of.marker.topic]),
  ]);
  return [...new Set([...Object.values(row.sinkTopics).flat(), ...(written ?? [])])];
}

/** What the log shows of each transaction of the last epoch. */
async function readFates(tools: Tools, kafka: KafkaRequests, row: JobRow, last: Manifest | undefined): Promise<Map<string, EpochFate>> {
  const asking = { kafka, clock: tools.clock, random: tools.random, deadlineMs: tools.clock.elapsedMs() + LOOK_TIMEOUT_MS };
  const again =
    row.sentAgain?.decisionId === last?.decisionId && row.sentAgain?.committables.at === 'row' ? row.sentAgain.committables.list : [];
  const newest = (last?.committables ?? []).map(
    (of) => again.find(({ sink, subtask }) => sink === of.sink && subtask === of.subtask) ?? of,
  );
  const looked = newest
    .filter(({ marker }) => marker === undefined)
    .map(async (of) => {
      const fates = new Set((await lookAt(asking, of, NOT_COMPACTED)).map(({ fate }) => fate));
      return [of.transactionalId, { epoch: of.epoch, fate: [...fates].sort().join(', ') }] as const;
    });
  return new Map(await Promise.all(looked));
}

const LOOK_TIMEOUT_MS = 5_000;
/** For people the list of aborted transactions is good enough. */
const NOT_COMPACTED: ReadonlySet<string> = new Set();

async function heldPartitions(kafka: KafkaRequests, topics: readonly string[]): Promise<HeldPartition[]> {
  const ranges = topics.map(async (topic) => {
    const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
    const stable = await kafka.offsets(topic, partitions, 'latest');
    return partitions.map((partition) => ({ topic, partition, offset: stable[partition] ?? 0, maxBytes: 1 }));
  });
  // Nothing is there to be read: what the answer is asked for are its two offsets.
  const fetched = await kafka.fetch((await Promise.all(ranges)).flat(), { maxBytes: 1, maxWaitMs: 0, minBytes: 0 });
  return fetched
    .filter(({ answer, lastStableOffset, highWatermark }) => answer === 'NONE' && lastStableOffset < highWatermark)
    .map(({ topic, partition, lastStableOffset, highWatermark }) => ({ topic, partition, lastStableOffset, highWatermark }));
}

/** Held by the same transaction all the while: it was there when the transactions were described. */
function stillHeld(before: readonly HeldPartition[], after: readonly HeldPartition[]): HeldPartition[] {
  const seen = new Set(before.map((held) => `${nameOf(held)} ${held.lastStableOffset}`));
  return after.filter((held) => seen.has(`${nameOf(held)} ${held.lastStableOffset}`));
}

export interface TransactionLine {
  readonly transactionalId: string;
  readonly state: string;
  readonly openness: Openness;
  readonly openForMs: number | null;
  readonly lastEpoch: EpochFate | null;
  /** Partitions in which readers wait and which this transaction writes to. */
  readonly holdsUp: readonly string[];
  /** Who will end it. */
  readonly meaning: string;
}

/** What the facts say of each transactional id, and of readers. */
export function transactionsResult(facts: TransactionFacts): CommandResult {
  const lines = facts.transactions.map((transaction) => lineOf(facts, transaction));
  const explained = new Set(lines.flatMap(({ holdsUp }) => holdsUp));
  const byOthers = facts.held.map(nameOf).filter((name) => !explained.has(name));
  const owned = isLeaseLive(facts.row, facts.nowMs);
  return {
    code: !owned && lines.some(({ holdsUp }) => holdsUp.length > 0) ? EXIT.heldUp : EXIT.ok,
    json: {
      job: facts.row.job,
      incarnation: facts.row.incarnation,
      transactions: lines,
      readersHeldUp: facts.held,
      heldUpByOthers: byOthers,
    },
    text: textOf(facts, lines, byOthers),
  };
}

function lineOf(facts: TransactionFacts, transaction: TransactionDescription): TransactionLine {
  const { transactionalId, state, startedAtMs, partitions } = transaction;
  const openness = opennessOf(transaction);
  const writes = new Set(openness === 'over' ? [] : partitions.map(nameOf));
  return {
    transactionalId,
    state,
    openness,
    openForMs: openness === 'over' || startedAtMs === undefined ? null : facts.nowMs - startedAtMs,
    lastEpoch: facts.fates.get(transactionalId) ?? null,
    holdsUp: facts.held.map(nameOf).filter((name) => writes.has(name)),
    meaning: meaningOf(facts, transaction, openness),
  };
}

function meaningOf({ row, last, nowMs }: TransactionFacts, transaction: TransactionDescription, openness: Openness): string {
  if (openness === 'over') return '';
  if (openness === 'ending') return 'the broker is ending it';
  const { transactionalId, producerId, producerEpoch, startedAtMs, timeoutMs } = transaction;
  const committable = last?.committables.find((each) => each.transactionalId === transactionalId);
  const isDecided = committable?.producerId === producerId && committable.producerEpoch === producerEpoch;
  const owned = isLeaseLive(row, nowMs);
  if (isDecided) return `epoch ${committable.epoch}, decided: ${owned ? 'is being committed' : 'the next start or stop commits it'}`;
  if (owned) return 'an attempt under way';
  const leftMs = startedAtMs === undefined ? timeoutMs : startedAtMs + timeoutMs - nowMs;
  return `left open, not decided: the next start, stop or cancel aborts it, or the broker in ${duration(leftMs)}`;
}

function textOf(facts: TransactionFacts, lines: readonly TransactionLine[], byOthers: readonly string[]): string {
  if (lines.length === 0) return `job ${facts.row.job} has no transactional ids yet`;
  const rows = lines.map(({ transactionalId, state, openForMs, lastEpoch, holdsUp, meaning }) => [
    transactionalId,
    state,
    openForMs === null ? '' : duration(openForMs),
    lastEpoch === null ? '' : `epoch ${lastEpoch.epoch} ${lastEpoch.fate}`,
    holdsUp.length > 0 ? `HOLDS UP READERS of ${holdsUp.join(', ')}${meaning === '' ? '' : `; ${meaning}`}` : meaning,
  ]);
  const [head = '', ...body] = tableOf(COLUMNS, rows).split('\n');
  const painted = body.map((text, at) => {
    const line = lines[at];
    if (line === undefined || line.openness === 'over') return text;
    return paint(line.holdsUp.length > 0 ? ['bold', 'red'] : 'yellow', text);
  });
  return [head, ...painted, '', summaryOf(facts, lines, byOthers)].join('\n');
}

const COLUMNS = [
  { title: 'transactional id' },
  { title: 'state' },
  { title: 'open for', align: 'right' },
  { title: 'in the log' },
  { title: '' },
] as const;

function summaryOf({ held }: TransactionFacts, lines: readonly TransactionLine[], byOthers: readonly string[]): string {
  const open = lines.filter(({ openness }) => openness !== 'over').length;
  const readers = held.map(
    ({ topic, partition, lastStableOffset, highWatermark }) =>
      `  ${topic}-${partition}: readers of committed data stop at ${lastStableOffset}, ${plural(highWatermark - lastStableOffset, 'offset')} before the end`,
  );
  const others = byOthers.length > 0 ? [`  ${byOthers.join(', ')}: held up by a transaction that is not this job's`] : [];
  return [
    `${open} of ${plural(lines.length, 'transaction')} open${held.length === 0 ? '; no reader is held up' : '; held up:'}`,
    ...readers,
    ...others,
  ].join('\n');
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
