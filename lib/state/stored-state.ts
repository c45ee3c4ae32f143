import { expiring } from './columns/lifetime.ts';
import type { DeclaredState } from './declared-state.ts';

/** What is remembered of a state wherever a job's state is: in the graph's fingerprint and in snapshots. */
export interface StoredState {
  readonly name: string;
  readonly kind: string;
  /** Names of its serdes, in the order that its kind says. */
  readonly serdes: readonly string[];
}

export function storedStates(states: readonly DeclaredState[]): StoredState[] {
  return states.map(({ name, kind, serdes, ttl }) => {
    const names = serdes.map((serde) => serde.name);
    // What expires is what the last serde writes.
    return { name, kind, serdes: ttl === undefined ? names : [...names.slice(0, -1), ...names.slice(-1).map(expiring)] };
  });
}
