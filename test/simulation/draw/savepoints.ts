import { Dice, hashOf } from '../kernel/dice.ts';
import { copyName, type SavepointAct } from '../savepoints.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

const NAMES = ['first', 'second', 'third', 'fourth', 'fifth'];

/** Savepoints come and go in some seeds; in those of this focus many of them, and jobs are started from them, also from one that goes meanwhile. */
export const drawSavepoints: Part = ({ seed, job, faultsUntilMs }, focus) => {
  // There is no way back to the build before; what another one renames and migrates it does from a savepoint too.
  const isAbout = focus === 'savepoints' || focus === 'pins' || focus === 'moves';
  const isFocus = focus === 'updates' || (isAbout && (job.grows !== true || shapeOf(job).formerly.size > 0));
  const dice = new Dice(hashOf(seed, 'savepoints'));
  if (!isFocus && !dice.chance(0.4)) return {};
  const moves = new Dice(hashOf(seed, 'moves'));
  const kinds: readonly SavepointAct['does'][] = isFocus
    ? ['create', 'create', 'create', 'delete', 'start', ...copies(focus)]
    : ['create', 'create', 'delete'];
  const savepoints = Array.from({ length: isFocus ? dice.whole(10, 22) : dice.whole(1, 6) }, (): SavepointAct[] => {
    const act = { atMs: dice.between(500, faultsUntilMs), does: dice.pick(kinds), name: dice.pick(NAMES), ...drawMove(moves, focus) };
    const goes = (act.does === 'start' || act.does === 'copy') && dice.chance(0.4);
    if (!goes) return [act];
    const name = act.does === 'copy' && dice.chance(0.5) ? copyName(act.name) : act.name;
    return [act, { name, atMs: act.atMs + dice.between(0, 6_000), does: 'delete' }];
  }).flat();
  return { savepoints, triesStartsAgain: dice.chance(0.7) };
};

function copies(focus: string | undefined): readonly SavepointAct['does'][] {
  return focus === 'savepoints' ? ['copy'] : [];
}

/** Of a start: where its sources go on. */
function drawMove(dice: Dice, focus: string | undefined): Pick<SavepointAct, 'sourceOffsets'> {
  const isMoved = focus === 'moves' && dice.chance(0.7);
  return isMoved ? { sourceOffsets: dice.pick(['earliest', 'latest', 'group:earliest']) } : {};
}
