import type { Savepoint } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { JOB } from '../sim-job.ts';
import { openEnvelope } from './blobs.ts';
import { blobsOf } from './contents.ts';
import { lifeOf, type Scene } from './scene.ts';

/*
 * No blob that a live manifest names is ever deleted (I7). Live is what is not RETIRED; its staged output counts until its
 * epoch is COMMITTED. Nor one that a savepoint names (I12).
 */

export function checkDeleted(scene: Scene, name: string): void {
  const savepoint = savepointOf(scene, name);
  if (savepoint !== undefined) return scene.fail('I12', `blob ${name} was deleted, and savepoint ${savepoint} names it`);
  const row = scene.table.row(JOB);
  if (liveNames(scene).has(name)) return scene.fail('I7', `blob ${name} was deleted, and a live manifest names it`);
  // Nothing of a deleted job, or of an earlier one of its name, is needed.
  if (name.split('/')[1] !== row?.incarnation) return;
  const epoch = Number(/-(\d{12})-[0-9a-f]+$/.exec(name)?.[1] ?? -1);
  const passing = /\/(exchange|output)\//.test(name);
  const limit = (passing ? row?.lastCommitted : row?.lastCompleted?.epoch) ?? -1;
  if (epoch > limit)
    scene.fail(
      'I7',
      `blob ${name} was deleted while epoch ${limit} was the last that is ${passing ? 'COMMITTED' : 'COMPLETED'}: an attempt may need it`,
    );
}

/** Somebody asked for it, and it is not there. */
export function checkMissing(scene: Scene, name: string): void {
  if (liveNames(scene).has(name)) scene.fail('I7', `blob ${name}, which a live manifest names, is missing`);
}

export function checkEpochsDeleted(scene: Scene, incarnation: string): void {
  if (lifeOf(scene, incarnation)?.over === false)
    scene.fail('I7', `the epochs of incarnation ${incarnation} were deleted, and the job goes on from them`);
}

/** In the end. */
export function checkKept(scene: Scene): void {
  for (const name of liveNames(scene))
    if (!scene.bucket.blobs.has(name)) scene.fail('I7', `blob ${name}, which a live manifest names, is gone`);
}

/** A savepoint was made: nothing of its epoch can have been deleted. */
export function checkPinned(scene: Scene, { name, epoch }: Savepoint): void {
  const retiredThrough = scene.table.row(JOB)?.retiredThrough ?? -1;
  if (epoch <= retiredThrough)
    scene.fail('I12', `savepoint ${name} was made of epoch ${epoch}, and epochs up to ${retiredThrough} are RETIRED`);
}

/** At any moment: what can be started from is all there (I12). */
export function checkSavepoints(scene: Scene): void {
  for (const savepoint of scene.table.savepoints.of(JOB))
    for (const name of savepoint.standing === 'complete' ? namesOf(scene, savepoint) : [])
      if (!scene.bucket.blobs.has(name)) scene.fail('I12', `blob ${name}, which savepoint ${savepoint.name} names, is not there`);
}

/** The savepoint that names a blob, if one does. */
function savepointOf(scene: Scene, name: string): string | undefined {
  return scene.table.savepoints.of(JOB).find((each) => each.standing !== 'deleting' && namesOf(scene, each).includes(name))?.name;
}

/** What live manifests and savepoints name. */
export function neededNames(scene: Scene): ReadonlySet<string> {
  const kept = scene.table.savepoints.of(JOB).filter(({ standing }) => standing !== 'deleting');
  return new Set([...liveNames(scene), ...kept.flatMap((each) => namesOf(scene, each))]);
}

function namesOf(scene: Scene, { manifest: ref }: Savepoint): string[] {
  if (ref.at === 'row') return namesIn(ref.manifest);
  const blob = scene.bucket.blobs.get(ref.name);
  return [ref.name, ...(blob === undefined ? [] : namesIn(JSON.parse(openEnvelope('manifest', blob.bytes).toString('utf8')) as Manifest))];
}

function namesIn(manifest: Manifest): string[] {
  return blobsOf(manifest, false).flatMap((ref) => (ref.at === 'store' ? [ref.name] : []));
}

function liveNames(scene: Scene): Set<string> {
  const row = scene.table.row(JOB);
  const live = new Set<string>();
  const life = row === undefined ? undefined : lifeOf(scene, row.incarnation);
  if (row === undefined || life === undefined || life.over) return live;
  for (const { manifest, blob } of life.decided) {
    if (manifest.epoch <= row.retiredThrough) continue;
    if (blob !== undefined) live.add(blob);
    for (const ref of blobsOf(manifest, manifest.epoch > row.lastCommitted)) if (ref.at === 'store') live.add(ref.name);
  }
  return live;
}
