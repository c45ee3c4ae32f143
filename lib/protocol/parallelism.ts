import * as z from 'zod';
import { byName } from './shape.ts';

/** Subtasks of each stage in one epoch: the next may have other numbers. */
export const parallelismSchema = byName(z.int().min(1));
export type Parallelism = z.infer<typeof parallelismSchema>;
