import type { SourceOffsets } from '../../format/manifest.ts';
import type { SourceRange } from '../../stages/requests.ts';
import { planRanges, type SourceEnds } from '../plan.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, parallelismOf, sourceStages } from './context.ts';
import { untilAnswered } from './store-retry.ts';

export type Planned =
  | {
      readonly outcome: 'planned';
      readonly from: SourceOffsets;
      readonly ranges: Record<string, SourceRange[][]>;
      readonly records: number;
    }
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'behind' | 'failed'; readonly message: string };

/** Plans the next epoch from `before`; in memory only. `failed`: a person has to act (the topic is gone, access is refused). */
export async function planNext(deps: CoordinatorDeps, settings: JobSettings, before: SourceOffsets, signal: AbortSignal): Promise<Planned> {
  try {
    return planFrom(settings, before, await askForEnds(deps, settings, before, signal));
  } catch (error) {
    if (error instanceof JobFailedError) return { outcome: 'failed', message: error.message };
    throw error;
  }
}

/** Asks Kafka how far every source partition can be read. */
function askForEnds(deps: CoordinatorDeps, settings: JobSettings, before: SourceOffsets, signal: AbortSignal): Promise<SourceEnds[]> {
  return untilAnswered(
    deps,
    'asking for the ends of the source topics',
    () =>
      Promise.all(
        sourceStages(settings).map(async (stage): Promise<SourceEnds> => {
          const count = await deps.kafka.partitionCount(stage.topic);
          const known = before[stage.id]?.[stage.topic] ?? [];
          const partitions = Array.from({ length: count }, (_, partition) => partition);
          // Partitions that came after the job started are read from their beginning.
          const added = partitions.slice(known.length);
          const [ends, starts] = await Promise.all([
            deps.kafka.offsets(stage.topic, partitions, 'latest'),
            added.length === 0 ? [] : deps.kafka.offsets(stage.topic, added, 'earliest'),
          ]);
          return { stage, from: [...known, ...starts], ends };
        }),
      ),
    signal,
  );
}

function planFrom(settings: JobSettings, before: SourceOffsets, sources: readonly SourceEnds[]): Planned {
  const planned = planRanges(sources, (stage) => parallelismOf(settings, stage));
  if (planned.outcome !== 'planned') return planned;
  const records = Object.values(planned.ranges)
    .flat(2)
    .reduce((sum, { from, bound }) => sum + bound - from, 0);
  const from = Object.fromEntries(sources.map(({ stage, from: offsets }) => [stage.id, { ...before[stage.id], [stage.topic]: offsets }]));
  return { ...planned, from: { ...before, ...from }, records };
}
