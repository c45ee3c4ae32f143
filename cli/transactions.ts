import { isLeaseLive } from '../lib/epoch/may-start.ts';
import type { Manifest } from '../lib/format/manifest.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import type { KafkaRequests, TopicPartition, TransactionDescription } from '../lib/ports/kafka-requests.ts';
import { markerGroup, poolIds } from '../lib/transactions/ids.ts';
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
  /** By transactional id. Absent: not read, because no epoch tells the sink's topic yet. */
  readonly markers: ReadonlyMap<string, Marker | 'none'>;
  readonly held: readonly HeldPartition[];
  readonly nowMs: number;
}

export interface Marker {
  readonly epoch: number;
  readonly decisionId: string;
}

/** Every transactional id of the job as Kafka has it. */
export async function transactions(tools: Tools): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const kafka = await tools.kafka();
  const { last, topics } = await knownSinks(tools, row);
  const ids = poolIds(row.job, row.incarnation, row.pool);
  const sinkTopics = [...new Set(topics.values())];
  const before = await heldPartitions(kafka, sinkTopics);
  const [found, markers] = await Promise.all([kafka.describeTransactions(ids), readMarkers(kafka, row, topics)]);
  const held = stillHeld(before, before.length === 0 ? [] : await heldPartitions(kafka, sinkTopics));
  return transactionsResult({ row, last, transactions: found, markers, held, nowMs: tools.clock.now() });
}

/** The last manifest, and each sink's topic: from the newest epoch that has transactions. */
async function knownSinks(
  tools: Tools,
  row: JobRow,
): Promise<{ readonly last: Manifest | undefined; readonly topics: ReadonlyMap<string, string> }> {
  const rows = await tools.epochs.listEpochs(row.job, row.incarnation, Math.max(-1, row.retiredThrough));
  const newestFirst = rows.filter(({ epoch }) => epoch <= (row.lastCompleted?.epoch ?? -1)).reverse();
  let last: Manifest | undefined;
  for (const epoch of newestFirst) {
    const manifest = await manifestIn(tools, epoch);
    last ??= manifest;
    if (manifest.committables.length > 0) return { last, topics: new Map(manifest.committables.map(({ sink, topic }) => [sink, topic])) };
  }
  return { last, topics: new Map() };
}

async function readMarkers(
  kafka: KafkaRequests,
  { job, incarnation, pool }: JobRow,
  topics: ReadonlyMap<string, string>,
): Promise<Map<string, Marker | 'none'>> {
  const readings = [...topics].flatMap(([sink, topic]) =>
    poolIds(job, incarnation, { [sink]: pool[sink] ?? 0 }).map(async (id) => {
      const { answer, offset, metadata } = await kafka.offsetFetch(markerGroup(id), { topic, partition: 0 }, false);
      if (answer !== 'NONE') return [];
      return [[id, offset === undefined ? ('none' as const) : { epoch: offset, decisionId: metadata }] as const];
    }),
  );
  return new Map((await Promise.all(readings)).flat());
}

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
  readonly marker: Marker | 'none' | null;
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
    marker: facts.markers.get(transactionalId) ?? null,
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
  const rows = lines.map(({ transactionalId, state, openForMs, marker, holdsUp, meaning }) => [
    transactionalId,
    state,
    openForMs === null ? '' : duration(openForMs),
    marker === null ? '?' : marker === 'none' ? 'none' : `epoch ${marker.epoch}`,
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
  { title: 'marker' },
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
