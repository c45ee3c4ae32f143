import { Lacks } from '../format/not-prepared.ts';
import { endOfWholeBatches } from '../format/record-set-end.ts';
import type { SourceRuntime } from '../operators/source-runtime.ts';
import type { FetchedPartition, SourceRequests } from '../ports/kafka-requests.ts';
import type { SourceAnswer } from '../protocol/answers.ts';
import type { SourceRange, SourceRequest } from '../protocol/requests.ts';
import { failureOf, RefusedStageError, type StageDeps, writeOutput } from './common.ts';
import type { Received } from './received.ts';

/** Bytes asked for from one partition in one fetch: a few of the largest batches, so that responses stay small in memory. */
const PARTITION_FETCH_BYTES = 2 * 1024 * 1024;
/** The last fetches of an epoch ask for no more than its bound leaves to each partition, and for this at least. */
const LEAST_FETCH_BYTES = 128 * 1024;
/** A fetch below the last stable offset answers at once; this bounds the wait when the log has moved meanwhile. */
const FETCH_WAIT_MS = 200;

/**
 * One epoch of one source subtask: reads its ranges, runs its operators, stores the exchange. Ends at the ranges'
 * bounds, or earlier at the byte or time bound; where it ended is the barrier of each partition.
 */
export async function runSource(
  deps: StageDeps & { readonly kafka: SourceRequests },
  runtime: SourceRuntime,
  request: Received<SourceRequest>,
  lacks = new Lacks(),
): Promise<SourceAnswer> {
  try {
    const { job, epoch, leavingOut, time } = request;
    const letters = leavingOut === undefined ? undefined : { job, epoch, nowMs: deps.clock.now() };
    runtime.begin(letters, leavingOut?.condemned, time);
    const { positions, bytesIn } = await readRanges(deps, runtime, request, lacks);
    const finished = runtime.finish();
    const output = await writeOutput(deps, request, finished);
    const reached = request.ranges.map(({ topic, partition }, index) => ({ topic, partition, next: positions[index] ?? 0 }));
    const { oldestTimestampMs, seen } = finished;
    return { outcome: 'read', reached, bytesIn, oldestTimestampMs, seen, ...output };
  } catch (error) {
    return failureOf(error);
  }
}

async function readRanges(
  deps: StageDeps & { readonly kafka: SourceRequests },
  runtime: SourceRuntime,
  request: Received<SourceRequest>,
  lacks: Lacks,
): Promise<{ positions: number[]; bytesIn: number }> {
  const startedMs = deps.clock.elapsedMs();
  const endMs = Math.min(startedMs + request.maxDurationMs, request.deadlineMs);
  const consumed = request.ranges.map(({ from }) => from);
  const bounds = request.ranges.map(({ bound }) => bound);
  // The positions of the fetch under way run ahead of what was consumed: one chunk is asked for while one is processed.
  const asked = [...consumed];
  let bytesIn = 0;
  let turn = request.epoch;
  const rangesLeft = () => request.ranges.map((range, index) => ({ ...range, bound: bounds[index] ?? range.bound }));
  const fetchNext = () => fetchOpenRanges(deps.kafka, rangesLeft(), asked, request.maxBytes - bytesIn, turn++);
  let underWay = fetchNext();
  while (underWay !== undefined) {
    const chunk = await underWay;
    for (const { index, fetched } of chunk) {
      if (fetched.answer !== 'NONE') throw problemOf(asked[index] ?? 0, fetched);
      asked[index] = endOfWholeBatches(fetched.records, asked[index] ?? 0);
      bytesIn += fetched.records.length;
    }
    const ahead = bytesIn < request.maxBytes && deps.clock.elapsedMs() < endMs ? fetchNext() : undefined;
    // The chunk is consumed while the next one is under way; should consuming throw, the fetch's own failure is of no interest.
    ahead?.catch(() => {});
    for (const { index, range, fetched } of chunk) {
      // What was asked for before it was seen that the partition is far enough ahead is not of this epoch.
      if (bounds[index] === consumed[index]) continue;
      for (let isAll = false; !isAll; ) {
        const part = { from: consumed[index] ?? 0, to: range.bound, aborted: fetched.aborted };
        const read = runtime.consume(range.topic, range.partition, fetched.records, part);
        consumed[index] = read.next;
        if (read.isHeld) bounds[index] = read.next;
        if (runtime.isWaiting) {
          await runtime.settle(deps.clock, request.deadlineMs);
          // What the answers have left no time for is of the next epoch.
          if (deps.clock.elapsedMs() >= endMs) return { positions: consumed, bytesIn };
        }
        if (read.isLacking === true) await lacks.makeGood();
        isAll = read.isLacking !== true && read.isFull !== true;
      }
    }
    underWay = ahead;
  }
  return { positions: consumed, bytesIn };
}

interface FetchedRange {
  readonly index: number;
  readonly range: SourceRange;
  readonly fetched: FetchedPartition;
}

/**
 * Asks for the next chunk of every range that has not reached its bound; undefined when all have. Another one is asked for
 * first at each `turn`: a broker exceeds what was asked for only for the first partition that has data (KIP-74), so one with
 * larger batches than that, always behind another, would never be read.
 */
function fetchOpenRanges(
  kafka: SourceRequests,
  ranges: readonly SourceRange[],
  positions: readonly number[],
  bytesLeft: number,
  turn: number,
): Promise<FetchedRange[]> | undefined {
  const open = ranges.map((range, index) => ({ range, index })).filter(({ range, index }) => (positions[index] ?? 0) < range.bound);
  if (open.length === 0) return undefined;
  const partitionBytes = Math.min(Math.max(Math.ceil(bytesLeft / open.length), LEAST_FETCH_BYTES), PARTITION_FETCH_BYTES);
  const first = turn % open.length;
  const asks = [...open.slice(first), ...open.slice(0, first)].map(({ range, index }) => ({
    topic: range.topic,
    partition: range.partition,
    offset: positions[index] ?? 0,
    maxBytes: partitionBytes,
  }));
  return kafka.fetch(asks, { maxBytes: partitionBytes * open.length, maxWaitMs: FETCH_WAIT_MS, minBytes: 1 }).then((answers) =>
    answers.flatMap((fetched) => {
      const place = open.find(({ range }) => range.topic === fetched.topic && range.partition === fetched.partition);
      return place === undefined ? [] : [{ ...place, fetched }];
    }),
  );
}

function problemOf(position: number, fetched: FetchedPartition): Error {
  const where = `topic ${fetched.topic}, partition ${fetched.partition}, offset ${position}`;
  // It was there when the epoch was planned. The next plan sees what is left, and decides.
  if (fetched.answer === 'OFFSET_OUT_OF_RANGE')
    return new Error(`${where}: the broker no longer has this offset; the epoch is planned again`);
  if (fetched.answer === 'UNKNOWN_TOPIC_OR_PARTITION')
    return new Error(`${where}: the broker does not know this partition (topic deleted, or its leader is moving)`);
  if (fetched.answer === 'TOPIC_AUTHORIZATION_FAILED')
    return new RefusedStageError(`${where}: the broker refused to be read: grant READ on topic ${fetched.topic}`);
  return new Error(`${where}: Fetch was answered ${fetched.answer}`);
}
