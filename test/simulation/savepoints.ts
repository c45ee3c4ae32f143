import type { CoordinatorDeps } from '../../lib/epoch/coordinator/context.ts';
import { createSavepoint } from '../../lib/epoch/savepoint/create.ts';
import { deleteSavepoint } from '../../lib/epoch/savepoint/delete.ts';
import { Dice, hashOf } from './kernel/dice.ts';

/** What somebody does with a savepoint. */
export interface SavepointAct {
  readonly atMs: number;
  /** `start`: the job starts from it, whatever it does at the moment. */
  readonly does: 'create' | 'delete' | 'start';
  readonly name: string;
}

const NAMES = ['first', 'second', 'third', 'fourth', 'fifth'];

/** Savepoints come and go in some seeds; in those of this focus many of them, and jobs are started from them, also from one that goes meanwhile. */
export function drawSavepoints(seed: number, untilMs: number, isFocus: boolean): readonly SavepointAct[] {
  const dice = new Dice(hashOf(seed, 'savepoints'));
  if (!isFocus && !dice.chance(0.4)) return [];
  const kinds = isFocus ? (['create', 'create', 'create', 'delete', 'start'] as const) : (['create', 'create', 'delete'] as const);
  return Array.from({ length: isFocus ? dice.whole(10, 22) : dice.whole(1, 6) }, (): SavepointAct[] => {
    const act = { atMs: dice.between(500, untilMs), does: dice.pick(kinds), name: dice.pick(NAMES) };
    const goes = act.does === 'start' && dice.chance(0.4);
    return goes ? [act, { ...act, atMs: act.atMs + dice.between(0, 6_000), does: 'delete' }] : [act];
  }).flat();
}

/** Does it as `onceflow savepoint` does. Answers what came of it. */
export async function actOnSavepoint(
  deps: Omit<CoordinatorDeps, 'invoker' | 'observe' | 'sinks'>,
  job: string,
  act: Pick<SavepointAct, 'does' | 'name'>,
): Promise<string> {
  const { name } = act;
  if (act.does === 'create') {
    const made = await createSavepoint(deps, job, name, undefined);
    return made.outcome === 'created' ? `created at epoch ${made.savepoint.epoch}` : made.outcome;
  }
  const found = await deps.epochs.readSavepoint(job, name);
  return found === undefined ? 'none' : (await deleteSavepoint(deps, found)).outcome;
}
