import type { FencedWrite } from '../../ports/epoch-store.ts';
import { type CommitSettings, type CoordinatorDeps, SupersededError, type Tenure } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { fenced } from './fenced.ts';

/** A job that this process holds, under one generation: what it works with, and until when. */
export interface Held<Settings extends Pick<CommitSettings, 'job'> = CommitSettings, Deps = CoordinatorDeps> {
  readonly deps: Deps;
  readonly settings: Settings;
  readonly tenure: Tenure;
  /** Aborted when what is not done is to be left to the next coordinator. What succeeds at once is still done. */
  readonly signal: AbortSignal;
}

type HeldName = Held<Pick<CommitSettings, 'job'>>;

/** A write that only the holder of the generation can make, repeated until it is answered. Throws as `untilAnswered`, and `SupersededError`. */
export async function writeHeld(held: HeldName, what: string, write: (generation: number) => Promise<FencedWrite>): Promise<void> {
  const { deps, settings, tenure, signal } = held;
  fenced(settings, await untilAnswered(deps, what, () => write(tenure.generation), signal));
}

/** Throws `SupersededError` unless this process still holds the job. */
export async function checkHeld({ deps, settings, tenure, signal }: HeldName): Promise<void> {
  const row = await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(settings.job), signal);
  // The generations of a job that was deleted and made anew begin again.
  if (row?.generation !== tenure.generation || row.incarnation !== tenure.incarnation) {
    throw new SupersededError(
      `generation ${row?.generation} (${row?.holder}) holds job ${settings.job}, and this coordinator is generation ${tenure.generation}`,
    );
  }
}

/** Records that everything up to this epoch is COMMITTED. */
export function recordCommitted(held: HeldName, epoch: number): Promise<void> {
  const { deps, settings } = held;
  return writeHeld(held, 'recording the commit', (generation) => deps.epochs.recordCommitted(settings.job, generation, epoch));
}
