import { byName, ofName } from './by-name.ts';

type SubtasksByStage = Readonly<Record<string, number>>;

/** How many subtasks a stage has. One that is not named has one. */
export function subtasksOf(parallelism: SubtasksByStage, stage: string): number {
  return ofName(parallelism, stage) ?? 1;
}

/** By stage, the larger number. */
export function widest(one: SubtasksByStage, other: SubtasksByStage): SubtasksByStage {
  const stages = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return byName(stages.map((stage) => [stage, Math.max(subtasksOf(one, stage), subtasksOf(other, stage))] as const));
}
