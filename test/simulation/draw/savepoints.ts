import { Dice, hashOf } from '../kernel/dice.ts';
import type { SavepointAct } from '../savepoints.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

const NAMES = ['first', 'second', 'third', 'fourth', 'fifth'];

/** Savepoints come and go in some seeds; in those of this focus many of them, and jobs are started from them, also from one that goes meanwhile. */
export const drawSavepoints: Part = ({ seed, job, faultsUntilMs }, focus) => {
  // There is no way back to the build before; what another one renames and migrates it does from a savepoint too.
  const isAbout = focus === 'savepoints' || focus === 'pins';
  const isFocus = focus === 'updates' || (isAbout && (job.grows !== true || shapeOf(job).formerly.size > 0));
  const dice = new Dice(hashOf(seed, 'savepoints'));
  if (!isFocus && !dice.chance(0.4)) return {};
  const kinds = isFocus ? (['create', 'create', 'create', 'delete', 'start'] as const) : (['create', 'create', 'delete'] as const);
  const savepoints = Array.from({ length: isFocus ? dice.whole(10, 22) : dice.whole(1, 6) }, (): SavepointAct[] => {
    const act = { atMs: dice.between(500, faultsUntilMs), does: dice.pick(kinds), name: dice.pick(NAMES) };
    const goes = act.does === 'start' && dice.chance(0.4);
    return goes ? [act, { ...act, atMs: act.atMs + dice.between(0, 6_000), does: 'delete' }] : [act];
  }).flat();
  return { savepoints };
};
