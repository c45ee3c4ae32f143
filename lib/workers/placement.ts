import { rangeOfStage, type Subtasks } from '../config/subtasks.ts';
import type { FunctionTarget } from '../ports/function-invoker.ts';

/**
 * Which worker each subtask has its home at, of so many: always the same, so that the state of an operator is warm there. Subtasks go
 * round, and each stage begins behind the one before it: stages of one subtask do not all meet at the first worker.
 *
 * @param stages in the order of the plan, with their subtasks
 */
export function placeSubtasks(
  stages: readonly { readonly id: string; readonly subtasks: number }[],
  workers: number,
): (target: FunctionTarget) => number {
  const begins = new Map<string, number>();
  let next = 0;
  for (const { id, subtasks } of stages) {
    begins.set(id, next);
    next += subtasks;
  }
  return ({ stage, subtask }) => ((begins.get(stage) ?? 0) + subtask) % workers;
}

/** The workers in the order in which they are asked: the home, then those behind it, round to the one before. */
export function orderFrom(home: number, workers: number): number[] {
  return Array.from({ length: workers }, (_, step) => (home + step) % workers);
}

/** The subtasks of each stage, as many as the configuration lets it have. */
export function mostSubtasks(
  stages: readonly { readonly id: string }[],
  parallelism: Readonly<Record<string, Subtasks>>,
): { readonly id: string; readonly subtasks: number }[] {
  return stages.map(({ id }) => ({ id, subtasks: rangeOfStage(parallelism, id).most }));
}
