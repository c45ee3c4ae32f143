import type { NextIncarnation } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { shapeOf } from '../sim-job.ts';
import { openEnvelope } from './blobs.ts';
import type { Contents } from './contents.ts';
import { Interpreter } from './interpreter/interpreter.ts';
import { Life } from './life.ts';
import { checkMoved, type Move, movedTo } from './moved.ts';
import { underNewNames } from './new-names.ts';
import { goThrough } from './outcome.ts';
import { lifeOf, type Scene } from './scene.ts';
import { Times } from './times.ts';

/**
 * The job begins another incarnation at an epoch of before: everything is there (I12), and as it was (I3). What it makes from then on is what the
 * input until then, and its own, come to.
 */
export function takeBegun(scene: Scene, contents: Contents, next: NextIncarnation, move: Move | undefined): void {
  const { incarnation, epoch, manifest: ref } = next;
  const from = next.startedFrom.at(-1);
  const origin = from === undefined ? undefined : lifeOf(scene, from.incarnation);
  const blob = ref.at === 'blob' ? ref.name : undefined;
  const text = ref.at === 'row' ? JSON.stringify(ref.manifest) : openEnvelope('manifest', contents.blob(ref.name)).toString('utf8');
  const manifest = underNewNames(JSON.parse(text) as Manifest, shapeOf(scene.job));
  const was = origin?.epoch(epoch)?.manifest;
  if (origin === undefined || was === undefined || manifest.epoch !== epoch || manifest.incarnation !== incarnation)
    return scene.fail('I12', `incarnation ${incarnation} begins at epoch ${epoch} of ${from?.incarnation}, which was never decided`);
  if (positionIn(manifest) !== positionIn(move === undefined ? was : movedTo(was, manifest)))
    scene.fail('I3', `incarnation ${incarnation} begins at epoch ${epoch} of ${origin.incarnation}, and not as that ended`);
  if (move !== undefined) checkMoved(scene, manifest, move);
  const steps = origin.steps.filter((step) => step.epoch <= epoch);
  const { definition, plain } = shapeOf(scene.job);
  const times = steps.at(-1)?.times.copy() ?? new Times(definition);
  if (move !== undefined) times.forgetPartitions();
  const life = new Life(incarnation, { interpreter: new Interpreter(definition), plain: plain && new Interpreter(plain), times });
  goThrough(scene, life, steps);
  life.before.push(...origin.before, ...origin.decided.filter((decided) => decided.manifest.epoch <= epoch));
  life.decided.push({ manifest, text, blob, staged: new Map(), elsewhere: new Map(), written: new Map() });
  scene.lives.push(life);
}

function positionIn({ offsets, topicIds, state, time }: Manifest): string {
  return JSON.stringify([offsets, topicIds, state, time]);
}
