import type { Subtasks } from '../../lib/config/subtasks.ts';
import { type SimJob, shapeOf } from './sim-job.ts';

/** The same numbers of subtasks for all stages of a kind. */
export function parallelismOf<T extends Subtasks>(
  job: SimJob,
  width: { readonly source: T; readonly operator: T; readonly sink: T },
): Record<string, T> {
  const { sources, operators, sinks, formerly } = shapeOf(job);
  const widths = new Map<string, T>([
    ...[...sources.keys()].map((uid) => [uid, width.source] as const),
    ...operators.map((uid) => [uid, width.operator] as const),
    ...[...sinks.keys()].map((uid) => [uid, width.sink] as const),
  ]);
  for (const [former, uid] of formerly) widths.set(former, widths.get(uid) ?? width.operator);
  return Object.fromEntries(widths);
}
