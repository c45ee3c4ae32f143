import { endOfTransaction, writerOf } from '../../format/control-record.ts';
import { endOfWholeBatches } from '../../format/record-set-end.ts';
import { type FetchedPartition, type FetchLimits, type KafkaAnswer, KafkaProblem } from '../../ports/kafka-requests.ts';
import type { Asking } from './asking.ts';
import type { KafkaCommittable, WrittenRange } from './committable.ts';
import { readOpen } from './left-open.ts';

/**
 * What became of a transaction in one partition, as a reader sees it.
 * - `committed`: a `read_committed` reader is given its records. This is final.
 * - `aborted`: no reader ever is. This is final too.
 * - `undecided`: its end is not in the log: it is open, its end is under way, or a broker has forgotten it (KAFKA-20734).
 * - `no-evidence`: the log does not reach to it any more, or does not hold how it ended.
 * - `unknown`: nobody could be asked.
 */
export type Fate = 'committed' | 'aborted' | 'undecided' | 'no-evidence' | 'unknown';

export interface Look {
  readonly range: WrittenRange;
  readonly fate: Fate;
  /** Of `unknown`: why. */
  readonly answer: KafkaAnswer;
}

/** What a transaction left to be looked for: its producer, and what it wrote. */
export type Looked = Pick<KafkaCommittable, 'producerId' | 'written'>;

/** From one partition in a look: a control record has 78 bytes. */
const LOOK_BYTES = 16 * 1024;
/** From one partition in a search for a control record. */
const SEARCH_BYTES = 1024 * 1024;
/** Of a transaction that is not open any more, and whose end a search has not met. */
const END_NOT_FOUND = 'OFFSET_NOT_AVAILABLE';

/**
 * Looks in the log what became of a transaction, in each partition that it wrote. One small Fetch for each leader where
 * nothing stands in the way. `compacted`: topics whose log is compacted, where lists of aborted transactions do not last.
 */
export async function lookAt(asking: Asking, { producerId, written }: Looked, compacted: ReadonlySet<string>): Promise<readonly Look[]> {
  const fetched = await fetchBehind(asking, written);
  return Promise.all(
    written.map(async (range, index): Promise<Look> => {
      const found = fetched[index] as FetchedPartition;
      const isCompacted = compacted.has(range.topic);
      const fate = isCompacted ? fateWithoutList(range, found) : fateIn(range, found, BigInt(producerId));
      if (fate === 'unknown') return { range, fate, answer: found.answer };
      if (fate !== 'look-closer') return { range, fate, answer: 'NONE' };
      return lookCloser(asking, range, BigInt(producerId), isCompacted);
    }),
  );
}

/**
 * The same, for what was written a while ago: what the log says counts only while our last record is where it was. A topic that was
 * made anew meanwhile holds something else there, and has no evidence. In a compacted topic the record may have gone by itself.
 */
export async function lookBackAt(asking: Asking, of: KafkaCommittable, compacted: ReadonlySet<string>): Promise<readonly Look[]> {
  const looks = await lookAt(asking, of, compacted);
  return Promise.all(
    looks.map(async (look) => (restsOnOurs(look) && !compacted.has(look.range.topic) ? confirmed(asking, of, look) : look)),
  );
}

/** Fates that mean nothing in a log that does not hold our records: somebody else's transaction may begin where ours did. */
function restsOnOurs({ fate, answer }: Look): boolean {
  return fate === 'committed' || fate === 'aborted' || fate === 'undecided' || (fate === 'unknown' && answer === END_NOT_FOUND);
}

async function confirmed(asking: Asking, { producerId, producerEpoch }: KafkaCommittable, look: Look): Promise<Look> {
  const { topic, partition, last } = look.range;
  const [found = notAnswered(topic, partition, 'NO_ANSWER')] = await asking.kafka.fetch(
    [{ topic, partition, offset: last, maxBytes: LOOK_BYTES }],
    { ...limitsOf(asking, LOOK_BYTES), isolation: 'read_uncommitted' },
  );
  if (found.answer === 'OFFSET_OUT_OF_RANGE') return { ...look, fate: 'no-evidence' };
  if (found.answer !== 'NONE') return { ...look, fate: 'unknown', answer: found.answer };
  // A leader that took over just now does not know yet how far its log is replicated, and shows less of it.
  if (found.highWatermark <= last) return { ...look, fate: 'unknown', answer: 'OFFSET_NOT_AVAILABLE' };
  const writer = writerOf(found.records, last);
  const isOurs = writer?.producerId === BigInt(producerId) && writer.producerEpoch === producerEpoch;
  return isOurs ? look : { ...look, fate: 'no-evidence' };
}

/** A look waits for no record, nor for what passes within a moment longer than there is time: its answer is what somebody waits for. */
function limitsOf({ deadlineMs }: Asking, maxBytes: number): FetchLimits {
  return { maxBytes, maxWaitMs: 0, minBytes: 0, untilMs: deadlineMs };
}

/** A `read_committed` Fetch from right behind what was written. */
async function fetchBehind(asking: Asking, written: readonly WrittenRange[]): Promise<readonly FetchedPartition[]> {
  const ranges = written.map(({ topic, partition, last }) => ({ topic, partition, offset: last + 1, maxBytes: LOOK_BYTES }));
  try {
    return await asking.kafka.fetch(ranges, limitsOf(asking, LOOK_BYTES * ranges.length));
  } catch (error) {
    if (!(error instanceof KafkaProblem)) throw error;
    const topics = [...Map.groupBy(written, ({ topic }) => topic).values()];
    // What one topic is answered says nothing of the others.
    if (topics.length > 1) {
      const found = (await Promise.all(topics.map((own) => fetchBehind(asking, own)))).flat();
      return ranges.map((range) => found.find((one) => one.topic === range.topic && one.partition === range.partition) as FetchedPartition);
    }
    return ranges.map(({ topic, partition }) => notAnswered(topic, partition, error.code));
  }
}

/**
 * What one such Fetch says. A reader is given what lies below the last stable offset and is not in the list of aborted
 * transactions. An answer without records has no list: so it is when the last stable offset is right behind ours, where
 * another producer's open transaction begins, and when the next batch is larger than was asked for.
 */
export function fateIn(range: WrittenRange, fetched: FetchedPartition, producerId: bigint): Fate | 'look-closer' {
  const fate = fateWithoutList(range, fetched);
  if (fate !== 'look-closer' || fetched.records.length === 0) return fate;
  // Of the same producer later transactions may be listed too: they begin behind ours.
  const isAborted = fetched.aborted.some((one) => one.producerId === producerId && one.firstOffset <= range.first);
  return isAborted ? 'aborted' : 'committed';
}

/** Where the list cannot be trusted: what the answer says all the same. */
function fateWithoutList(range: WrittenRange, { answer, lastStableOffset, logStartOffset }: FetchedPartition): Fate | 'look-closer' {
  // Records that retention took, or a topic that was made anew and is shorter now.
  if (answer === 'OFFSET_OUT_OF_RANGE') return 'no-evidence';
  if (answer !== 'NONE') return 'unknown';
  // Where the log begins with ours, the last stable offset may stand there for an older one whose beginning retention took.
  return lastStableOffset === range.first && logStartOffset < range.first ? 'undecided' : 'look-closer';
}

/**
 * Somebody else's open transaction is in the way, or there is no list: the leader says whether ours is open; if it is not,
 * its control record lies behind its last record, and says how it ended.
 */
async function lookCloser(asking: Asking, range: WrittenRange, producerId: bigint, isCompacted: boolean): Promise<Look> {
  const { open, answer } = await readOpen(asking, range.topic, [range.partition]);
  if (answer !== 'NONE') return { range, fate: 'unknown', answer };
  const own = open.find((one) => one.producerId === String(producerId));
  if (own !== undefined && own.openSince <= range.last) return { range, fate: 'undecided', answer: 'NONE' };
  return searchEnd(asking, range, producerId, isCompacted);
}

async function searchEnd(asking: Asking, range: WrittenRange, producerId: bigint, isCompacted: boolean): Promise<Look> {
  const { topic, partition, last } = range;
  for (let offset = last + 1; ; ) {
    const [found = notAnswered(topic, partition, 'NO_ANSWER')] = await asking.kafka.fetch(
      [{ topic, partition, offset, maxBytes: SEARCH_BYTES }],
      { ...limitsOf(asking, SEARCH_BYTES), isolation: 'read_uncommitted' },
    );
    if (found.answer === 'OFFSET_OUT_OF_RANGE') return { range, fate: 'no-evidence', answer: found.answer };
    if (found.answer !== 'NONE') return { range, fate: 'unknown', answer: found.answer };
    const end = endOfTransaction(found.records, producerId, offset);
    if (end !== undefined) return { range, fate: end === 'commit' ? 'committed' : 'aborted', answer: 'NONE' };
    const next = endOfWholeBatches(found.records, offset);
    if (next === offset || next >= found.highWatermark) {
      // It has ended, so it is in the log: not replicated yet, or compacted away.
      return { range, fate: isCompacted ? 'no-evidence' : 'unknown', answer: END_NOT_FOUND };
    }
    if (asking.clock.elapsedMs() >= asking.deadlineMs) return { range, fate: 'unknown', answer: 'REQUEST_TIMED_OUT' };
    offset = next;
  }
}

function notAnswered(topic: string, partition: number, answer: KafkaAnswer): FetchedPartition {
  const nothing = { logStartOffset: -1, highWatermark: -1, lastStableOffset: -1, aborted: [], records: Buffer.alloc(0) };
  return { topic, partition, answer, ...nothing };
}
