import type { CoordinatorDeps } from '../../lib/epoch/coordinator/context.ts';
import { createSavepoint } from '../../lib/epoch/savepoint/create.ts';
import { deleteSavepoint } from '../../lib/epoch/savepoint/delete.ts';

/** What somebody does with a savepoint. */
export interface SavepointAct {
  readonly atMs: number;
  /** `start`: the job starts from it, whatever it does at the moment. */
  readonly does: 'create' | 'delete' | 'start';
  readonly name: string;
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
