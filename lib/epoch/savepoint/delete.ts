import type { Savepoint } from '../../ports/epoch-store.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';
import { namesIn, namesOf, pinsOf } from '../garbage/live.ts';

type Deps = Pick<CoordinatorDeps, 'epochs' | 'blobs' | 'blobStore'>;

const DELETE_TOGETHER = 500;

/**
 * Deletes a savepoint: from the first write on nothing starts from it, and its blobs are garbage unless something else names them. Those of an
 * incarnation that the job runs in the job collects. Crashed at any point it can be run again. Answers how many blobs went here.
 */
export async function deleteSavepoint(
  deps: Deps,
  savepoint: Savepoint,
): Promise<{ readonly outcome: 'deleted' | 'gone'; readonly blobs: number }> {
  if ((await deps.epochs.moveSavepoint(savepoint, 'deleting')) === 'gone') return { outcome: 'gone', blobs: 0 };
  const { job } = savepoint;
  let blobs = 0;
  for (const incarnation of await incarnationsOf(deps, savepoint)) blobs += await deleteUnnamed(deps, { job, incarnation });
  await deps.epochs.deleteSavepoint(savepoint);
  return { outcome: 'deleted', blobs };
}

/**
 * Those that its blobs are of: its own, and what that was started from. That of the manifest is the last: a deletion that dies finds by it what is
 * left.
 */
async function incarnationsOf(deps: Deps, savepoint: Savepoint): Promise<readonly string[]> {
  const { manifest, incarnation } = savepoint;
  const { names = [] } = savepoint.standing === 'importing' ? {} : await namesOf(deps, savepoint);
  const others = new Set(names.flatMap((name) => name.split('/')[1] ?? []));
  const last = manifest.at === 'blob' ? (manifest.name.split('/')[1] ?? incarnation) : incarnation;
  others.delete(last);
  return [...new Set([incarnation, ...others])].filter((each) => each !== last).concat(last);
}

/**
 * Deletes the blobs of an incarnation that nothing names any more, if the job has left it for good: nobody writes there. They are listed first: what
 * is there is named already, if it ever will be.
 */
export async function deleteUnnamed(deps: Deps, { job, incarnation }: Pick<Savepoint, 'job' | 'incarnation'>): Promise<number> {
  const found: string[] = [];
  for await (const { name } of deps.blobStore.list(`${job}/${incarnation}/`)) found.push(name);
  const live = await namesNow(deps, job, incarnation);
  if (live === 'own') return 0;
  const garbage = found.filter((name) => !live.has(name));
  for (let at = 0; at < garbage.length; at += DELETE_TOGETHER) await deps.blobStore.delete(garbage.slice(at, at + DELETE_TOGETHER));
  return garbage.length;
}

/**
 * All that is named at one moment, by the manifests of the job and by savepoints. A start from a savepoint moves names from the one to the other, so it is
 * read until none came in between.
 */
async function namesNow(deps: Deps, job: string, left: string): Promise<Pick<ReadonlySet<string>, 'has'> | 'own'> {
  for (;;) {
    const row = await deps.epochs.readJob(job);
    if (row?.incarnation === left) return 'own';
    const rows = row === undefined ? [] : await deps.epochs.listEpochs(job, row.incarnation, row.retiredThrough);
    const manifests = rows.map(({ manifest }) => manifest);
    const named = new Set(await namesIn(deps, manifests, row?.lastCommitted ?? 0));
    const pins = await pinsOf(deps, job);
    if ((await deps.epochs.readJob(job))?.incarnation === row?.incarnation) return { has: (name) => named.has(name) || pins.has(name) };
  }
}
