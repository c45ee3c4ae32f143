import type { Decision } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { shapeOf } from '../sim-job.ts';
import { openEnvelope } from './blobs.ts';
import type { Contents } from './contents.ts';
import { Interpreter } from './interpreter/interpreter.ts';
import { type DecidedEpoch, Life } from './life.ts';
import { underNewNames } from './new-names.ts';
import { lifeOf, presentLife, type Scene } from './scene.ts';
import { Times } from './times.ts';

export interface Decided {
  readonly life: Life;
  readonly epoch: DecidedEpoch;
  readonly parent: Manifest | undefined;
}

/** One decision for an epoch, on the last one (I1). Undefined: it is not to be looked at any further. Throws when a blob cannot be read. */
export function acceptDecision(scene: Scene, contents: Contents, decision: Decision): Decided | undefined {
  const life = lifeOf(scene, decision.incarnation) ?? newLife(scene, decision.incarnation);
  if (!scene.lives.includes(life)) scene.lives.push(life);
  const parent = life.decided.at(-1)?.manifest;
  const fault = faultOf(scene, life, parent, decision);
  if (fault !== undefined) return void scene.fail('I1', fault);
  const blob = decision.manifest.at === 'blob' ? decision.manifest.name : undefined;
  const text =
    decision.manifest.at === 'row'
      ? JSON.stringify(decision.manifest.manifest)
      : openEnvelope('manifest', contents.blob(decision.manifest.name)).toString('utf8');
  const manifest = underNewNames(JSON.parse(text) as Manifest, shapeOf(scene.job));
  if (manifest.decisionId !== decision.decisionId)
    return void scene.fail('I1', `epoch ${decision.epoch}: the manifest is of another decision`);
  const epoch: DecidedEpoch = {
    manifest,
    text,
    blob,
    staged: contents.stagedOf(manifest),
    elsewhere: contents.elsewhereIn(manifest),
    written: new Map(),
  };
  life.decided.push(epoch);
  return { life, epoch, parent };
}

function newLife({ job }: Scene, incarnation: string): Life {
  const { definition, plain } = shapeOf(job);
  return new Life(incarnation, {
    interpreter: new Interpreter(definition),
    plain: plain && new Interpreter(plain),
    times: new Times(definition),
  });
}

function faultOf(scene: Scene, life: Life, parent: Manifest | undefined, decision: Decision): string | undefined {
  const { incarnation, epoch, parentDecisionId } = decision;
  if (life.over || life !== presentLife(scene)) return `epoch ${epoch} of incarnation ${incarnation} was decided, which had been deleted`;
  if (life.epoch(epoch) !== undefined) return `epoch ${epoch} was decided twice`;
  if (epoch !== (parent?.epoch ?? -1) + 1 || parentDecisionId !== parent?.decisionId)
    return `epoch ${epoch} was decided on ${parentDecisionId}, and the last decided is epoch ${parent?.epoch} (${parent?.decisionId})`;
  return undefined;
}
