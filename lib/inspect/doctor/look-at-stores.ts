import type { JobRow } from '../../ports/epoch-store.ts';
import { blobName } from '../../storage/blobs.ts';
import type { DoctorDeps } from './deps.ts';
import { type Finding, well, wrong } from './finding.ts';

/** A generation that no job has: a write that asks for it changes nothing. */
const NO_GENERATION = -1;

/** Can the table be read, queried and updated? */
export async function lookAtTable(
  { epochs, job }: Pick<DoctorDeps, 'epochs' | 'job'>,
  row: JobRow | undefined,
): Promise<readonly Finding[]> {
  await epochs.listEpochs(job, row?.incarnation ?? 'none', row?.lastCompleted?.epoch ?? 0);
  await epochs.renewLease(job, NO_GENERATION, 0);
  return [well('table', `can be read, queried and updated; ${row === undefined ? `job ${job} has no row yet` : `job ${job} is in it`}`)];
}

/** Can blobs be written, listed, read and deleted? One that a crash leaves here is named like an exchange of epoch 0, and collected as that. */
export async function lookAtBlobs(
  deps: Pick<DoctorDeps, 'blobStore' | 'random' | 'job'>,
  row: JobRow | undefined,
): Promise<readonly Finding[]> {
  const store = await deps.blobStore();
  const place = { job: deps.job, incarnation: row?.incarnation ?? 'none', stage: 'doctor', subtask: 0, epoch: 0 };
  const name = blobName(place, 'exchange', deps.random.id());
  const bytes = Buffer.from('written by onceflow doctor');
  await store.put(name, bytes);
  const read = await store.get(name);
  const listed = (await Array.fromAsync(store.list(name))).length;
  await store.delete([name]);
  if (!read.equals(bytes)) return [wrong('blobs', `${name} was read back with other content`, 'look at what ONCEFLOW_BLOBS leads to')];
  if (listed === 0) return [wrong('blobs', `${name} was written, and is not listed`, 'look at what ONCEFLOW_BLOBS leads to')];
  return [well('blobs', 'one was written, listed, read and deleted')];
}
