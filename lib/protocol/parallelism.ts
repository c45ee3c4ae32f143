import * as z from 'zod';
import { byName as named, ofName } from '../config/by-name.ts';
import { byName } from './shape.ts';

/** Subtasks of each stage in one epoch: the next may have other numbers. */
export const parallelismSchema = byName(z.int().min(1));
export type Parallelism = z.infer<typeof parallelismSchema>;

/** By stage, the larger number. */
export function widest(one: Parallelism, other: Parallelism): Parallelism {
  const stages = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return named(stages.map((stage) => [stage, Math.max(subtasksOf(one, stage), subtasksOf(other, stage))]));
}

/** How many subtasks a stage has. One that is not named has one. */
export function subtasksOf(parallelism: Parallelism, stage: string): number {
  return ofName(parallelism, stage) ?? 1;
}
