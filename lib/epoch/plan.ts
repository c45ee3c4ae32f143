import type { SourceOffsets } from '../format/manifest.ts';
import type { SourceStage } from '../graph/stages.ts';
import type { SourceRange } from '../stages/requests.ts';

/** What Kafka says about one source's topic when an epoch is planned; the index is the partition. */
export interface SourceEnds {
  readonly stage: SourceStage;
  /** Where the epoch before ended. */
  readonly from: readonly number[];
  /** Last stable offsets. */
  readonly ends: readonly number[];
}

export type PlanOutcome =
  | { readonly outcome: 'planned'; readonly ranges: Record<string, SourceRange[][]> }
  | { readonly outcome: 'nothing' }
  /** The last stable offset lies below what was read already: the log was cut, or a stale replica leads. */
  | { readonly outcome: 'behind'; readonly message: string };

/** The input of one epoch: for each source partition from where the last epoch ended to the last stable offset. */
export function planRanges(sources: readonly SourceEnds[], parallelism: (stage: string) => number): PlanOutcome {
  const ranges: Record<string, SourceRange[][]> = {};
  let any = false;
  for (const { stage, from, ends } of sources) {
    const subtasks: SourceRange[][] = Array.from({ length: parallelism(stage.id) }, () => []);
    for (const [partition, start] of from.entries()) {
      const bound = ends[partition] ?? start;
      if (bound < start) return { outcome: 'behind', message: behindMessage(stage, partition, start, bound) };
      if (bound === start) continue;
      any = true;
      subtasks[partition % subtasks.length]?.push({ topic: stage.topic, partition, from: start, bound });
    }
    ranges[stage.id] = subtasks;
  }
  return any ? { outcome: 'planned', ranges } : { outcome: 'nothing' };
}

function behindMessage(stage: SourceStage, partition: number, from: number, lastStable: number): string {
  return (
    `topic ${stage.topic}, partition ${partition}: the job has read up to offset ${from}, but the last stable offset is ${lastStable}. ` +
    'The topic was made anew or lost records (unclean leader election?). The job skips nothing and waits; if this lasts it stops.'
  );
}

/** The offsets of `previous` with the given partitions' ends replaced. */
export function advanceOffsets(
  previous: SourceOffsets,
  source: string,
  reached: readonly { readonly topic: string; readonly partition: number; readonly next: number }[],
): SourceOffsets {
  const topics: Record<string, number[]> = Object.fromEntries(
    Object.entries(previous[source] ?? {}).map(([topic, offsets]) => [topic, [...offsets]]),
  );
  for (const { topic, partition, next } of reached) {
    const offsets = topics[topic] ?? [];
    offsets[partition] = next;
    topics[topic] = offsets;
  }
  return { ...previous, [source]: topics };
}

const FIRST_EPOCH_BYTES = 4 * 1024 * 1024;
/** A stage should take this share of the interval, so that what varies still fits into it. */
const TARGET_SHARE = 0.8;
/** One epoch's growth, so that a guess from a small or lucky epoch cannot overshoot far. */
const LARGEST_GROWTH = 2;
const LEAST_EPOCH_BYTES = 256 * 1024;

/** The last epoch that left a backlog. */
export interface FullEpoch {
  readonly bytesIn: number;
  readonly slowestStageMs: number;
  /** The bound on its bytes. */
  readonly budget: number;
}

/**
 * Bytes of input for the next epoch while there is a backlog, from the last full one: as much as the slowest stage can
 * work through in most of the checkpoint interval. Without a full epoch yet, `undefined`, it starts at 4 MiB.
 */
export function nextEpochBytes(last: FullEpoch | undefined, intervalMs: number, maxBytes: number): number {
  if (last === undefined) return Math.min(FIRST_EPOCH_BYTES, maxBytes);
  const fitting = (last.bytesIn * intervalMs * TARGET_SHARE) / Math.max(last.slowestStageMs, 1);
  return Math.round(Math.min(Math.max(Math.min(fitting, last.budget * LARGEST_GROWTH), LEAST_EPOCH_BYTES), maxBytes));
}
