import type { JobRow, Savepoint } from '../../ports/epoch-store.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';

type Deps = Pick<CoordinatorDeps, 'epochs' | 'clock' | 'random'>;

export type Creation =
  | { readonly outcome: 'created'; readonly savepoint: Savepoint }
  | { readonly outcome: 'no-such-job' }
  /** Nothing was changed; `why` names the mend. */
  | { readonly outcome: 'refused'; readonly why: string };

/** Each time another epoch has become the newest, and that of before was retired at once. */
const MOST_TRIES = 20;

/** Pins an epoch of the job, of its present incarnation: the newest that is recorded as COMMITTED, or one that is retained. */
export async function createSavepoint(deps: Deps, job: string, name: string, wanted: number | undefined): Promise<Creation> {
  const { epochs, clock, random } = deps;
  const id = random.id();
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const row = await epochs.readJob(job);
    if (row === undefined) return { outcome: 'no-such-job' };
    const why = refusalOf(row, wanted);
    if (why !== undefined) return { outcome: 'refused', why };
    const epoch = wanted ?? row.lastCommitted;
    const found = await epochs.readEpoch(job, row.incarnation, epoch);
    // It went between the two reads, with its job.
    if (found === undefined) continue;
    const savepoint: Savepoint = {
      ...{ job, name, id, standing: 'complete', createdAtMs: clock.now() },
      ...{ incarnation: row.incarnation, epoch, decisionId: found.decisionId, manifest: found.manifest },
      ...{ fingerprint: row.fingerprint, maxParallelism: row.maxParallelism },
    };
    const created = await epochs.createSavepoint(savepoint);
    if (created === 'created') return { outcome: 'created', savepoint };
    if (created === 'exists')
      return { outcome: 'refused', why: `job ${job} has a savepoint ${name} already: give this one another name, or delete that one` };
  }
  return { outcome: 'refused', why: `the epochs of job ${job} were retired as fast as they could be read: try again` };
}

function refusalOf({ job, lastCompleted, lastCommitted, retiredThrough }: JobRow, wanted: number | undefined): string | undefined {
  if (lastCompleted === undefined) return `job ${job} has decided no epoch yet: there is nothing to keep`;
  if (lastCommitted <= retiredThrough) return `no epoch of job ${job} is retained`;
  if (wanted === undefined || (wanted > retiredThrough && wanted <= lastCommitted)) return undefined;
  const retained = `the retained ones are ${retiredThrough + 1} to ${lastCommitted} (ONCEFLOW_RETAINED_CHECKPOINTS)`;
  return wanted <= retiredThrough
    ? `epoch ${wanted} of job ${job} is retired, and its state may be deleted: ${retained}`
    : `epoch ${wanted} of job ${job} is not recorded as committed: ${retained}`;
}
