import { expiring } from './columns/lifetime.ts';
import type { DeclaredState } from './declared-state.ts';

/** What is remembered of a state wherever a job's state is: in the graph's fingerprint and in snapshots. */
export interface StoredState {
  readonly name: string;
  readonly kind: string;
  /** Names of its serdes, in the order that its kind says. */
  readonly serdes: readonly string[];
  /** Names that it had in earlier builds. Of a state as a snapshot says it: undefined, as where it had no other. */
  readonly formerly?: readonly string[];
}

export function storedStates(states: readonly DeclaredState[]): StoredState[] {
  return states.map(({ name, kind, serdes, ttl, formerly }) => {
    const names = serdes.map((serde) => serde.name);
    // What expires is what the last serde writes.
    const kept = ttl === undefined ? names : [...names.slice(0, -1), ...names.slice(-1).map(expiring)];
    return { name, kind, serdes: kept, ...(formerly !== undefined && { formerly }) };
  });
}

/** Which of a job's states it is that was stored under this name. Undefined: none of them. */
export function stateNamed<S extends Pick<StoredState, 'name' | 'formerly'>>(name: string, states: readonly S[]): S | undefined {
  return states.find((state) => state.name === name) ?? states.find(({ formerly = [] }) => formerly.includes(name));
}
