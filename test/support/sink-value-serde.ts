import type { KafkaSink, Serde } from '../../lib/api/index.ts';

/** How values are written to the first topic of a sink. */
export function valueSerdeOf<V>({ topics }: KafkaSink<never, never, V>): Serde<V> {
  const [first] = topics;
  if (first === undefined) throw new Error('a sink of no topic');
  return first.value;
}
