import * as z from 'zod';
import { byName, count, list, name } from './shape.ts';

/** Where something may be open that a sink's connector prepared. */
const sinkPoolSchema = z
  .object({
    /** The widest parallelism that the sink has had. */
    subtasks: count,
    /** What it may have written to, in the connector's own words. */
    places: list(name),
  })
  .readonly();
export type SinkPool = z.infer<typeof sinkPoolSchema>;

/**
 * By connector, then by sink uid, in one incarnation of a job: enough to end what is open without the job's code. Recorded before
 * anything is prepared, and never narrowed.
 */
export const poolSchema = byName(byName(sinkPoolSchema));
export type Pool = z.infer<typeof poolSchema>;

/** The pool with `more` in it; the same object when that has nothing new. */
export function widened(pool: Pool, more: Pool): Pool {
  let wider = pool;
  for (const [connector, sinks] of Object.entries(more)) {
    for (const [sink, added] of Object.entries(sinks)) {
      const known = sinkPool(wider, connector, sink);
      const places = added.places.filter((place) => known?.places.includes(place) !== true);
      if (known !== undefined && places.length === 0 && added.subtasks <= known.subtasks) continue;
      const next = { subtasks: Math.max(known?.subtasks ?? 0, added.subtasks), places: [...(known?.places ?? []), ...new Set(places)] };
      wider = { ...wider, [connector]: { ...sinksOf(wider, connector), [sink]: next } };
    }
  }
  return wider;
}

/** By sink, what one connector may have left open. */
export function sinksOf(pool: Pool, connector: string): Readonly<Record<string, SinkPool>> {
  return Object.hasOwn(pool, connector) ? (pool[connector] ?? {}) : {};
}

function sinkPool(pool: Pool, connector: string, sink: string): SinkPool | undefined {
  const sinks = sinksOf(pool, connector);
  return Object.hasOwn(sinks, sink) ? sinks[sink] : undefined;
}
