import { type CommitSettings, type CoordinatorDeps, SupersededError, type Tenure } from './context.ts';
import { untilAnswered } from './store-retry.ts';

/** Throws `SupersededError` unless this coordinator still holds the job. */
export async function checkGeneration(
  deps: CoordinatorDeps,
  settings: Pick<CommitSettings, 'job'>,
  tenure: Tenure,
  signal: AbortSignal,
): Promise<void> {
  const row = await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(settings.job), signal);
  // The generations of a job that was deleted and made anew begin again.
  if (row?.generation !== tenure.generation || row.incarnation !== tenure.incarnation) {
    throw new SupersededError(
      `generation ${row?.generation} (${row?.holder}) holds job ${settings.job}, and this coordinator is generation ${tenure.generation}`,
    );
  }
}
