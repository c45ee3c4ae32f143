import { byName, ofName } from '../../config/by-name.ts';
import { subtasksOf } from '../../config/subtasks.ts';
import type { Position, SourceOffsets, TopicIds } from '../../protocol/manifest.ts';
import type { Parallelism } from '../../protocol/parallelism.ts';
import type { SourceRange } from '../../protocol/requests.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, sourceStages } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { offsetsIn } from '../failure/isolate.ts';
import { type Gap, planRanges, type SourceEnds, topicIdsAfter } from './plan.ts';

export type Planned =
  | {
      readonly outcome: 'planned';
      readonly from: SourceOffsets;
      /** Of the topics that it is planned from. */
      readonly topicIds: TopicIds;
      readonly ranges: Readonly<Record<string, readonly (readonly SourceRange[])[]>>;
      readonly records: number;
      readonly parallelism: Parallelism;
      /** Input that was gone before it was read, and that this epoch leaves out. */
      readonly gaps: readonly Gap[];
    }
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'behind' | 'failed'; readonly message: string };

/** Where the epoch before ended, and in which topics. */
type PlannedFrom = Pick<Position, 'offsets' | 'topicIds'>;

/** What is to be planned. */
export interface PlanAsk {
  readonly before: PlannedFrom;
  /** Of the epoch. */
  readonly parallelism: Parallelism;
  /** A partition has been behind for so long that what it lost is lost. */
  readonly isOverdue: boolean;
}

type PlanDeps = Pick<CoordinatorDeps, 'kafka' | 'clock' | 'random' | 'observe' | 'refusalTimeoutMs'>;
type PlanSettings = Pick<JobSettings, 'plan' | 'onDataLoss'>;

/** Plans the next epoch; in memory only. `failed`: a person has to act (input or the topic is gone, access is refused). */
export async function planNext(deps: PlanDeps, settings: PlanSettings, ask: PlanAsk, signal: AbortSignal): Promise<Planned> {
  try {
    return planFrom(settings, ask, await askForEnds(deps, settings, ask.before, signal));
  } catch (error) {
    if (error instanceof JobFailedError) return { outcome: 'failed', message: error.message };
    throw error;
  }
}

/** Asks Kafka what every source partition holds. */
function askForEnds(deps: PlanDeps, settings: PlanSettings, before: PlannedFrom, signal: AbortSignal): Promise<SourceEnds[]> {
  return untilAnswered(
    deps,
    'asking for the ends of the source topics',
    () =>
      Promise.all(
        sourceStages(settings).map(async (stage): Promise<SourceEnds> => {
          const count = await deps.kafka.partitionCount(stage.topic);
          const known = ofName(ofName(before.offsets, stage.id), stage.topic) ?? [];
          const partitions = Array.from({ length: count }, (_, partition) => partition);
          const [ends, starts] = await Promise.all([
            deps.kafka.offsets(stage.topic, partitions, 'latest'),
            deps.kafka.offsets(stage.topic, partitions, 'earliest'),
          ]);
          // Partitions that came after the job started are read from their first offset: what is gone before that is lost input.
          const from = [...known, ...partitions.slice(known.length).map(() => 0)];
          const isBeyond = from.some((offset, partition) => offset > (ends[partition] ?? offset));
          // What was read is not there: is it another topic? What is known of it may be older than that.
          const id = await deps.kafka.topicId(stage.topic, isBeyond || known.length > count ? 'now' : 'as-known');
          const knownId = ofName(ofName(before.topicIds, stage.id), stage.topic);
          // The broker that said so may be behind the others: next time another one is asked.
          if (id !== undefined && knownId !== undefined && id !== knownId) deps.kafka.forgetLeaders(stage.topic);
          const highWatermarks = isBeyond ? await deps.kafka.offsets(stage.topic, partitions, 'end') : undefined;
          return { stage, from, starts, ends, highWatermarks, id, knownId };
        }),
      ),
    signal,
  );
}

function planFrom({ onDataLoss }: PlanSettings, ask: PlanAsk, sources: readonly SourceEnds[]): Planned {
  const { before, parallelism, isOverdue: overdue } = ask;
  const { offsets, topicIds } = before;
  const planned = planRanges(sources, { parallelism: (stage) => subtasksOf(parallelism, stage), onDataLoss, overdue });
  if (planned.outcome === 'lost') return { outcome: 'failed', message: planned.message };
  if (planned.outcome !== 'planned') return planned;
  const records = offsetsIn(Object.values(planned.ranges).flat(2));
  const from = byName(
    sources.map(({ stage: { id, topic } }) => [id, { ...ofName(offsets, id), [topic]: ofName(planned.from, id) ?? [] }] as const),
  );
  return { ...planned, from: { ...offsets, ...from }, topicIds: topicIdsAfter(topicIds, sources), records, parallelism };
}
