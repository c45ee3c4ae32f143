import type { Own } from '../shape.ts';

/*
 * Builds whose manifests are of version 1 or 2 had one connector for what is prepared, Kafka's, and said nothing of it: a
 * committable was its token, with sink, subtask and epoch in it.
 */

/** The connector of what was prepared, and of what was staged to be sent after the decision. */
export const PREPARED = 'kafka';
export const DELIVERED = 'write-ahead';

/** A committable as it is now; one that names its connector is returned as it is. */
export function upgradedCommittable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'connector' in value) return value;
  const { sink, subtask, epoch, ...token } = value as Own;
  return { sink, connector: PREPARED, subtask, epoch, token };
}

/** As those builds had it. */
export function flatCommittable(committable: Own & { readonly token: Own }): Own {
  const { connector: _, token, ...rest } = committable;
  return { ...rest, ...token };
}
