import type { FencedWrite, JobRow } from '../../ports/epoch-store.ts';
import type { Pool } from '../../protocol/pool.ts';
import { type CommitSettings, type CoordinatorDeps, SupersededError, type Tenure } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { holderOf } from '../start/may-start.ts';
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
  ownRow(settings, tenure, row);
}

/** The row, if it is this process's still. Throws `SupersededError`, which says whose it is. */
export function ownRow(of: { readonly job: string }, tenure: HeldAs, row: JobRow | undefined): JobRow {
  if (isOwn(tenure, row)) return row;
  throw new SupersededError(`${howLost(of, tenure, row)}; this coordinator is generation ${tenure.generation}`);
}

/** As what a process has taken a job. */
export type HeldAs = Pick<Tenure, 'generation' | 'incarnation'>;

/** The generations of a job that was deleted and made anew begin again: one is of its incarnation. */
export function isOwn({ generation, incarnation }: HeldAs, row: JobRow | undefined): row is JobRow {
  return row?.generation === generation && row.incarnation === incarnation;
}

/** How a process has lost a job, for people. */
export function howLost({ job }: { readonly job: string }, { incarnation }: HeldAs, row: JobRow | undefined): string {
  if (row === undefined) return `job ${job} was deleted`;
  return row.incarnation === incarnation
    ? `${holderOf(row)} holds job ${job}`
    : `job ${job} was deleted and made anew, or started from a savepoint, and ${holderOf(row)} holds that one`;
}

/** Records what sinks may leave open, before they do. */
export function recordPool(held: HeldName, pool: Pool): Promise<void> {
  const { deps, settings } = held;
  return writeHeld(held, 'recording what sinks may leave open', (generation) => deps.epochs.widenPool(settings.job, generation, pool));
}

/** Records that everything up to this epoch is COMMITTED. */
export function recordCommitted(held: HeldName, epoch: number): Promise<void> {
  const { deps, settings } = held;
  return writeHeld(held, 'recording the commit', (generation) => deps.epochs.recordCommitted(settings.job, generation, epoch));
}
