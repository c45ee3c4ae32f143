import { openManifest } from '../epoch/decision/read-manifest.ts';
import { BlobMissingError } from '../ports/blob-store.ts';
import type { EpochStore, JobRow } from '../ports/epoch-store.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { DecidedEpoch } from './attempt-again.ts';
import { ReplayRefusedError } from './refused.ts';

/** Of the table a replay reads rows, and nothing else. */
export type EpochReads = Pick<EpochStore, 'readJob' | 'readEpoch' | 'readSavepoint'>;

/** Where a job's epochs are. */
export interface Archive {
  readonly epochs: EpochReads;
  readonly blobs: Blobs;
}

/** The epochs from the one before `first` on. */
export interface FoundEpochs {
  readonly row: JobRow;
  /** Of the epoch before the first. */
  readonly before: Manifest;
  /** Ascending, without a gap. */
  readonly epochs: readonly [DecidedEpoch, ...DecidedEpoch[]];
}

/** @throws ReplayRefusedError when one of them cannot be replayed: it is not there, not decided, retired, or there is none before it */
export async function findEpochs(archive: Archive, row: JobRow, first: number, last: number): Promise<FoundEpochs> {
  const refusal = refusalOf(row, first, last);
  if (refusal !== undefined) throw new ReplayRefusedError(refusal);
  const all = await readEpochs(archive, row, first - 1, last);
  const [before, next, ...others] = all;
  if (before === undefined || next === undefined) throw new Error(`epochs ${first} to ${last} came to nothing`);
  return { row, before: before.manifest, epochs: [next, ...others] };
}

/** The manifest of a retained epoch; of the last one if none is said. @throws ReplayRefusedError */
export async function findEpoch(archive: Archive, row: JobRow, epoch: number | undefined): Promise<Manifest> {
  const { job, lastCompleted, retiredThrough } = row;
  if (lastCompleted === undefined) throw new ReplayRefusedError(`job ${job} has decided no epoch yet`);
  const wanted = epoch ?? lastCompleted.epoch;
  if (wanted > lastCompleted.epoch) throw new ReplayRefusedError(notDecided(row, wanted));
  if (wanted <= retiredThrough)
    throw new ReplayRefusedError(`epoch ${wanted} of job ${job} is retired, and its snapshots are gone: ${retainedText(row)}`);
  const [found] = await readEpochs(archive, row, wanted, wanted);
  if (found === undefined) throw new Error(`epoch ${wanted} came to nothing`);
  return found.manifest;
}

/** What a savepoint keeps. */
export interface SavedState {
  readonly manifest: Manifest;
  readonly fingerprint: string;
  readonly maxParallelism: number;
}

/** @throws ReplayRefusedError when the job has no such savepoint, or not all of it is there */
export async function findSavepoint(archive: Archive, job: string, name: string): Promise<SavedState> {
  const saved = await archive.epochs.readSavepoint(job, name);
  if (saved === undefined)
    throw new ReplayRefusedError(`job ${job} has no savepoint ${name}: "onceflow savepoint list" shows those that there are`);
  if (saved.standing !== 'complete')
    throw new ReplayRefusedError(`savepoint ${name} of job ${job} is ${saved.standing}: not all of its blobs are there`);
  const { fingerprint, maxParallelism } = saved;
  return { manifest: await openManifest(archive, saved.manifest), fingerprint, maxParallelism };
}

/** Why these epochs cannot be run again; undefined: they can. */
function refusalOf(row: JobRow, first: number, last: number): string | undefined {
  const { job, lastCompleted, retiredThrough } = row;
  if (lastCompleted === undefined) return `job ${job} has decided no epoch yet: there is nothing to run again`;
  if (last > lastCompleted.epoch) return notDecided(row, last);
  if (first === 0) return `epoch 0 of job ${job} decides where each source begins, and nothing is run in it: the first to run again is 1`;
  if (first - 1 > retiredThrough) return undefined;
  const what =
    first <= retiredThrough
      ? `epoch ${first} of job ${job} is retired`
      : `epoch ${first} of job ${job} begins at the snapshots of epoch ${first - 1}, which is retired`;
  return `${what}: ${retainedText(row, 1)}`;
}

function notDecided({ job, lastCompleted }: JobRow, epoch: number): string {
  return `epoch ${epoch} of job ${job} is not decided: the last is ${lastCompleted?.epoch}`;
}

function retainedText({ lastCompleted, retiredThrough }: JobRow, ahead = 0): string {
  const oldest = retiredThrough + 1 + ahead;
  const newest = lastCompleted?.epoch ?? 0;
  const left = oldest > newest ? 'there is none that can be at the moment' : `the oldest that can be is ${oldest}, the newest ${newest}`;
  return `${left} (ONCEFLOW_RETAINED_CHECKPOINTS says how many are kept)`;
}

async function readEpochs(archive: Archive, row: JobRow, first: number, last: number): Promise<readonly DecidedEpoch[]> {
  const { job, incarnation } = row;
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return Promise.all(
    numbers.map(async (epoch) => {
      const found = await archive.epochs.readEpoch(job, incarnation, epoch);
      if (found === undefined)
        throw new ReplayRefusedError(
          `there is no epoch ${epoch} in this life of job ${job} (incarnation ${incarnation}): it was started from the one behind it, or something other than the job deleted the row`,
        );
      const manifest = await openManifest(archive, found.manifest);
      return { manifest, plannedAtMs: found.summary.plannedAtMs };
    }),
  );
}

/** The job goes on meanwhile, and collects what no epoch needs any more: what is missing then is no damage. */
export async function unlessRetired<T>(
  { epochs }: Pick<Archive, 'epochs'>,
  row: JobRow,
  first: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BlobMissingError)) throw error;
    const now = await epochs.readJob(row.job);
    if (now === undefined || now.incarnation !== row.incarnation)
      throw new ReplayRefusedError(`job ${row.job} was deleted, or made anew, while its epochs were read`);
    if (now.retiredThrough >= first)
      throw new ReplayRefusedError(`epoch ${first} of job ${row.job} was retired while it was read: ${retainedText(now, 1)}`);
    throw error;
  }
}
