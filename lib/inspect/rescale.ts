import { byName, ofName } from '../config/by-name.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import type { JobStanding } from './standing.ts';

/** By stage, how many subtasks a person wants; `auto`: as many as it takes. */
export type WantedSubtasks = ReadonlyMap<string, number | 'auto'>;

/** What a request for other numbers of subtasks comes to. */
export type RescaleStep =
  | { readonly outcome: 'asks'; readonly subtasks: Readonly<Record<string, number>> }
  /** `because: 'request'`: it is wrong for this job, whenever it is asked. */
  | { readonly outcome: 'refused'; readonly because: 'request' | 'standing'; readonly message: string };

const NOTHING = 'nothing was changed';

/** What to ask of a job that has this row, and stands so. Of a stage that is not named, what was asked for before stays. */
export function rescaleOf(
  { job, desired, scale, rescale, maxParallelism }: JobRow,
  standing: JobStanding,
  wanted: WantedSubtasks,
): RescaleStep {
  const refuse = (because: 'request' | 'standing', why: string): RescaleStep => ({
    outcome: 'refused',
    because,
    message: `${why}: ${NOTHING}`,
  });
  if (desired === 'stopped') return refuse('standing', `job ${job} is stopped, and only one that runs is rescaled; start it first`);
  if (standing === 'failed') return refuse('standing', `job ${job} has failed, and only one that runs is rescaled; mend it, and start it`);
  if (scale === undefined)
    return refuse(
      'standing',
      `job ${job} has not said yet which stages it has: its coordinator has just begun, or is of a build before this`,
    );
  const asked = new Map(Object.entries(rescale?.subtasks ?? {}));
  for (const [stage, subtasks] of wanted) {
    const known = ofName(scale, stage);
    if (known === undefined) return refuse('request', `job ${job} has no stage ${stage}; its stages are ${Object.keys(scale).join(', ')}`);
    const { least, most } = known;
    if (subtasks === 'auto') asked.delete(stage);
    else if (subtasks > maxParallelism)
      return refuse(
        'request',
        `${stage}=${subtasks} is more than the ${maxParallelism} key groups of job ${job} (ONCEFLOW_MAX_PARALLELISM), which are fixed for its life`,
      );
    else if (subtasks < least || subtasks > most)
      return refuse(
        'request',
        `${stage}=${subtasks} is out of its bounds, ${least} to ${most}; deploy the job with others (ONCEFLOW_STAGE_PARALLELISM=${stage}=${Math.min(least, subtasks)}..${Math.max(most, subtasks)})`,
      );
    else asked.set(stage, subtasks);
  }
  return { outcome: 'asks', subtasks: byName(asked) };
}
