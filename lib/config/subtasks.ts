import { byName, ofName } from './by-name.ts';

/** Subtasks of a stage: so many; or, while the job runs, as many as it takes between two bounds. */
export type Subtasks = number | SubtaskRange;

/** Both bounds are within it. */
export interface SubtaskRange {
  readonly least: number;
  readonly most: number;
}

type SubtasksByStage = Readonly<Record<string, number>>;

/** A plain number is both bounds. */
export function rangeOf(subtasks: Subtasks): SubtaskRange {
  return typeof subtasks === 'number' ? { least: subtasks, most: subtasks } : subtasks;
}

/** That of a stage. One that is not named has one subtask. */
export function rangeOfStage(parallelism: Readonly<Record<string, Subtasks>>, stage: string): SubtaskRange {
  return rangeOf(ofName(parallelism, stage) ?? 1);
}

/** The number, or the bound that it is beyond. */
export function within({ least, most }: SubtaskRange, subtasks: number): number {
  return Math.min(Math.max(subtasks, least), most);
}

/** As it is written in the configuration. */
export function subtasksText(subtasks: Subtasks): string {
  const { least, most } = rangeOf(subtasks);
  return least === most ? `${most}` : `${least}..${most}`;
}

/** Undefined: it is none. */
export function parseSubtasks(text: string, min: number, max: number): Subtasks | undefined {
  const [, first = '', last = first] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text) ?? [];
  const [least, most] = [Number(first), Number(last)];
  if (first === '' || least < min || most > max || least > most) return undefined;
  return least === most ? most : { least, most };
}

/** How many subtasks a stage has. One that is not named has one. */
export function subtasksOf(parallelism: SubtasksByStage, stage: string): number {
  return ofName(parallelism, stage) ?? 1;
}

/** By stage, the larger number. */
export function widest(one: SubtasksByStage, other: SubtasksByStage): SubtasksByStage {
  const stages = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return byName(stages.map((stage) => [stage, Math.max(subtasksOf(one, stage), subtasksOf(other, stage))] as const));
}
