import type { Pool } from '../pool.ts';
import { PREPARED, upgradedCommittable } from './committables.ts';

/**
 * The pool as builds had it whose manifests are of version 1 or 2: of Kafka's sinks alone, their widest parallelism, and beside it
 * the topics that they may have written to, also where nothing was prepared.
 */
export function upgradedPool(pool: Readonly<Record<string, number>>, topics: Readonly<Record<string, readonly string[]>>): Pool {
  const sinks = [...new Set([...Object.keys(pool), ...Object.keys(topics)])].map((sink) => {
    const of = <T>(map: Readonly<Record<string, T>>) => (Object.hasOwn(map, sink) ? map[sink] : undefined);
    return [sink, { subtasks: of(pool) ?? 0, places: of(topics) ?? [] }] as const;
  });
  return sinks.length === 0 ? {} : { [PREPARED]: Object.fromEntries(sinks) };
}

/** What was sent again: its committables said nothing of a connector. */
export function upgradedSentAgain(value: unknown): unknown {
  const { committables } = value as { readonly committables?: { readonly list?: unknown } };
  if (!Array.isArray(committables?.list)) return value;
  return { ...(value as object), committables: { ...committables, list: committables.list.map(upgradedCommittable) } };
}
