import type { EpochStore, JobRow, ManifestRef, Savepoint } from '../../ports/epoch-store.ts';
import { JobFailedError } from '../coordinator/context.ts';

/** An epoch that a job can be started from. */
export interface Startable {
  /** For people. */
  readonly what: string;
  /** Of the start: who asks for it twice is answered once. */
  readonly id: string;
  readonly savepoint: Pick<Savepoint, 'name' | 'id'> | undefined;
  readonly incarnation: string;
  readonly epoch: number;
  readonly decisionId: string;
  readonly manifest: ManifestRef;
  readonly fingerprint: string;
  readonly maxParallelism: number;
}

/** @throws JobFailedError: there is none, or it is not complete */
export async function savepointToStartAt(
  epochs: Pick<EpochStore, 'listSavepoints'>,
  job: string,
  name: string,
  savepoint: Savepoint | undefined,
  once: string | undefined,
): Promise<Startable> {
  if (savepoint === undefined) {
    const names = (await epochs.listSavepoints(job)).map((each) => each.name);
    throw new JobFailedError(`job ${job} has no savepoint ${name}: ${names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`}`);
  }
  const { standing, id } = savepoint;
  if (standing === 'importing')
    throw new JobFailedError(
      `savepoint ${name} of job ${job} is not imported to its end: run its import again (of "state write": delete it, and write it again)`,
    );
  if (standing === 'deleting') throw new JobFailedError(`savepoint ${name} of job ${job} is being deleted`);
  return { ...savepoint, what: `savepoint ${name}, epoch ${savepoint.epoch}`, id: once ?? id, savepoint: { name, id } };
}

/** @throws JobFailedError: it is not retained */
export async function epochToStartAt(epochs: Pick<EpochStore, 'readEpoch'>, row: JobRow, epoch: number, id: string): Promise<Startable> {
  const { job, incarnation, retiredThrough, lastCommitted, lastCompleted, fingerprint, maxParallelism } = row;
  const isRetained = lastCompleted !== undefined && epoch > retiredThrough && epoch <= lastCommitted;
  const found = isRetained ? await epochs.readEpoch(job, incarnation, epoch) : undefined;
  if (found === undefined) {
    const retained = lastCompleted === undefined ? 'it has none' : `the retained ones are ${retiredThrough + 1} to ${lastCommitted}`;
    throw new JobFailedError(
      `job ${job} cannot start from epoch ${epoch}, which is not retained: ${retained} (ONCEFLOW_RETAINED_CHECKPOINTS)`,
    );
  }
  const { decisionId, manifest } = found;
  return { what: `epoch ${epoch}`, id, savepoint: undefined, incarnation, epoch, decisionId, manifest, fingerprint, maxParallelism };
}
