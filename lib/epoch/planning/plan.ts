import { byName, ofName } from '../../config/by-name.ts';
import type { SourceStage } from '../../plan/plan.ts';
import type { SourceOffsets, TopicIds } from '../../protocol/manifest.ts';
import type { SourceRange } from '../../protocol/requests.ts';

/** What Kafka says about one source's topic when an epoch is planned; the index is the partition. `starts` and `ends` are of those that it has. */
export interface SourceEnds {
  readonly stage: SourceStage;
  /** Where the epoch before ended. */
  readonly from: readonly number[];
  /** Where the logs start. */
  readonly starts: readonly number[];
  /** Last stable offsets. */
  readonly ends: readonly number[];
  /** High watermarks; asked for only where a partition was read beyond its last stable offset. @default ends */
  readonly highWatermarks?: readonly number[] | undefined;
  /** Id of the topic. @default it is not known */
  readonly id?: string | undefined;
  /** Id of the topic that `from` is of. @default it is not known */
  readonly knownId?: string | undefined;
}

/** What to do when input is gone before it was read (ONCEFLOW_ON_DATA_LOSS). */
export type OnDataLoss = 'stop' | 'earliest';

/** Input that was gone before it was read. The job goes on at `to`. */
export interface Gap {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** Offsets that nobody will read. 0 when the log ended before `from`: what it held is not known. */
  readonly count: number;
  /** How many partitions the topic has, when this one is not among them. */
  readonly partitions?: number | undefined;
  /** Ids of the topic that was read and of the one that is there, which was made anew under its name. */
  readonly ids?: { readonly read: string; readonly found: string } | undefined;
}

export interface PlanRules {
  readonly parallelism: (stage: string) => number;
  readonly onDataLoss: OnDataLoss;
  /** Has a partition been behind for so long that it will not catch up by itself? */
  readonly overdue: boolean;
}

export type PlanOutcome =
  | {
      readonly outcome: 'planned';
      /** By source stage, then partition: where this epoch begins. */
      readonly from: Record<string, number[]>;
      readonly ranges: Record<string, SourceRange[][]>;
      readonly gaps: readonly Gap[];
    }
  | { readonly outcome: 'nothing' }
  /** The log ends below what was read already: it was cut, or a stale replica leads. */
  | { readonly outcome: 'behind'; readonly message: string }
  /** Input is gone, and the job must not go on without it. */
  | { readonly outcome: 'lost'; readonly message: string };

/**
 * The input of one epoch: for each source partition from where the last epoch ended to the last stable offset. The one
 * place that decides what happens when the log does not hold that offset any more. A gap alone makes an epoch too, so that
 * it is decided once.
 */
export function planRanges(sources: readonly SourceEnds[], { parallelism, onDataLoss, overdue }: PlanRules): PlanOutcome {
  const ranges: Record<string, SourceRange[][]> = byName();
  const begins: Record<string, number[]> = byName();
  const gaps: Gap[] = [];
  let behind: string | undefined;
  for (const { stage, from, starts, ends, highWatermarks = ends, id, knownId } of sources) {
    const { topic } = stage;
    const ids = id !== undefined && knownId !== undefined && id !== knownId ? { read: knownId, found: id } : undefined;
    const subtasks: SourceRange[][] = Array.from({ length: parallelism(stage.id) }, () => []);
    begins[stage.id] = from.slice(0, ends.length).map((wanted, partition) => {
      const [start, bound] = [starts[partition] ?? 0, ends[partition] ?? 0];
      // Between the last stable offset and the high watermark is what a transaction holds up that is open: nothing is gone.
      const end = Math.max(bound, highWatermarks[partition] ?? bound);
      const isBehind = wanted > end;
      // Offsets of another topic say nothing of this one, however many it has.
      const isAnother = ids !== undefined && wanted > 0;
      const isGone = wanted < start || isBehind || isAnother;
      const gap: Gap = { topic, partition, from: wanted, to: start, count: isAnother ? 0 : Math.max(start - wanted, 0) };
      if (isGone) gaps.push(isAnother ? { ...gap, ids } : gap);
      if (isAnother) behind ??= `${describeGap({ ...gap, ids })}. ${WAITS}`;
      else if (isBehind) behind ??= behindMessage(topic, partition, wanted, end);
      const begin = isGone ? start : wanted;
      if (bound > begin) subtasks[partition % subtasks.length]?.push({ topic, partition, from: begin, bound });
      return begin;
    });
    ranges[stage.id] = subtasks;
    for (const [partition, wanted] of from.entries()) {
      if (partition < ends.length) continue;
      const gap: Gap = { topic, partition, from: wanted, to: 0, count: 0, partitions: ends.length };
      gaps.push(gap);
      behind ??= `${describeGap(gap)}. ${WAITS}`;
    }
  }
  if (behind !== undefined && !overdue) return { outcome: 'behind', message: behind };
  const [gap] = gaps;
  if (gap !== undefined && onDataLoss === 'stop') return { outcome: 'lost', message: lostMessage(gap) };
  const any = gaps.length > 0 || Object.values(ranges).flat(2).length > 0;
  return any ? { outcome: 'planned', from: begins, ranges, gaps } : { outcome: 'nothing' };
}

function behindMessage(topic: string, partition: number, from: number, end: number): string {
  return (
    `topic ${topic}, partition ${partition}: the job has read up to offset ${from}, but its log ends at ${end}. ` +
    `The topic was made anew or lost records (unclean leader election?). ${WAITS}`
  );
}

const WAITS = 'The job skips nothing and waits; if this lasts, ONCEFLOW_ON_DATA_LOSS decides.';

/** What is gone, for people. */
function describeGap({ topic, partition, from, to, count, partitions, ids }: Gap): string {
  if (ids !== undefined)
    return `topic ${topic}, partition ${partition}: the job has read up to offset ${from} of the topic with id ${ids.read}, and the topic has id ${ids.found} now: it was made anew, and its log starts at ${to}`;
  if (partitions !== undefined)
    return `topic ${topic}, partition ${partition}: the job has read it up to offset ${from}, and the topic has only ${partitions} of its partitions now: it was made anew with fewer`;
  const where = `topic ${topic}, partition ${partition}: the broker no longer has offset ${from}`;
  return count > 0
    ? `${where}, its log starts at ${to}: ${count} offsets were deleted before the job read them (retention too short, or the topic was made anew)`
    : `${where}, its log ends before it and starts at ${to}: the topic was made anew or lost records (unclean leader election?)`;
}

/** What the job says when it goes on without it. */
export function leftOutMessage(gap: Gap): string {
  const goesOn = gap.partitions === undefined ? `at offset ${gap.to}` : 'without it';
  return `${describeGap(gap)}. The job goes on ${goesOn} (ONCEFLOW_ON_DATA_LOSS=earliest).`;
}

function lostMessage(gap: Gap): string {
  const mend = gap.partitions === undefined && gap.ids === undefined ? 'raise the retention' : 'give the topic back, or its partitions';
  return (
    `${describeGap(gap)}. The job stops and skips nothing (ONCEFLOW_ON_DATA_LOSS=stop): ${mend}, ` +
    'and start the job with ONCEFLOW_ON_DATA_LOSS=earliest to go on at the beginning of what is left.'
  );
}

/** The ids of `previous`, with those that are there now. */
export function topicIdsAfter(previous: TopicIds | undefined, sources: readonly Pick<SourceEnds, 'stage' | 'id'>[]): TopicIds {
  const found = sources.flatMap(({ stage, id }) =>
    id === undefined ? [] : [[stage.id, { ...ofName(previous, stage.id), [stage.topic]: id }] as const],
  );
  return { ...previous, ...byName(found) };
}

/** The offsets of `previous` with the given partitions' ends replaced. */
export function advanceOffsets(
  previous: SourceOffsets,
  source: string,
  reached: readonly { readonly topic: string; readonly partition: number; readonly next: number }[],
): SourceOffsets {
  const topics = byName(
    Object.entries(ofName(previous, source) ?? {}).map(([topic, offsets]): [string, number[]] => [topic, [...offsets]]),
  );
  for (const { topic, partition, next } of reached) {
    const offsets = topics[topic] ?? [];
    offsets[partition] = next;
    topics[topic] = offsets;
  }
  return { ...previous, [source]: topics };
}

/** Is any partition elsewhere than before, or another one there? */
export function hasMoved(before: SourceOffsets, after: SourceOffsets): boolean {
  const positions = (offsets: SourceOffsets) =>
    new Map(
      Object.entries(offsets).flatMap(([source, topics]) =>
        Object.entries(topics).map(([topic, at]) => [`${source} ${topic}`, at] as const),
      ),
    );
  const [old, now] = [positions(before), positions(after)];
  if (old.size !== now.size) return true;
  return [...now].some(([key, at]) => {
    const earlier = old.get(key) ?? [];
    return earlier.length !== at.length || at.some((offset, partition) => offset !== earlier[partition]);
  });
}
