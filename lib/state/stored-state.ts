import { expiring } from './columns/lifetime.ts';
import type { DeclaredState } from './declared-state.ts';

/** What is remembered of a state wherever a job's state is: in the graph's fingerprint and in snapshots. */
export interface StoredState {
  readonly name: string;
  readonly kind: string;
  /** Names of its serdes, in the order that its kind says. */
  readonly serdes: readonly string[];
  /** Of a job's state: by serde, the names of those whose values it reads too. Undefined: there are none. */
  readonly reads?: readonly (readonly string[])[];
  /** Names that it had in earlier builds. Of a state as a snapshot says it: undefined, as where it had no other. */
  readonly formerly?: readonly string[];
}

export function storedStates(states: readonly DeclaredState[]): StoredState[] {
  return states.map(({ name, kind, serdes, ttl, formerly }) => {
    // What expires is what the last serde writes.
    const kept = (serde: string, index: number) => (ttl !== undefined && index === serdes.length - 1 ? expiring(serde) : serde);
    const reads = serdes.map(({ older = [] }, index) => older.map((form) => kept(form.name, index)));
    return {
      name,
      kind,
      serdes: serdes.map((serde, index) => kept(serde.name, index)),
      ...(reads.some((forms) => forms.length > 0) && { reads }),
      ...(formerly !== undefined && { formerly }),
    };
  });
}

/** Does a state read what serdes of these names have written? */
export function readsSerdes({ serdes, reads = [] }: Pick<StoredState, 'serdes' | 'reads'>, written: readonly string[]): boolean {
  return (
    serdes.length === written.length && written.every((name, index) => serdes[index] === name || reads[index]?.includes(name) === true)
  );
}

/** What was stored of a state that it does not read, for people. */
export function notReadable(written: readonly string[], { name, serdes }: Pick<StoredState, 'name' | 'serdes'>): string {
  const [was, is] = [written.join(', '), serdes.join(', ')];
  if (name === WINDOWS_STATE && written[0] !== serdes[0])
    return `had serde ${was} and has now ${is}: what is kept is of the windows of then; keep them, or give the operator another uid and leave this one behind (--drop)`;
  const doesExpire = (of: readonly string[]) => of.some((serde) => serde.startsWith(expiring('').slice(0, -1)));
  if (doesExpire(written) !== doesExpire(serdes))
    return `had serde ${was} and has now ${is}: a time to live neither comes nor goes; give the state with the other one a name of its own`;
  return `had serde ${was} and has now ${is}: say how that is read (versioned({ version: 2, serde, older: { 1: { serde, migrate } } })), or keep it`;
}

/** What every window operator keeps. */
const WINDOWS_STATE = '@windows';

/** Which of a job's states it is that was stored under this name. Undefined: none of them. */
export function stateNamed<S extends Pick<StoredState, 'name' | 'formerly'>>(name: string, states: readonly S[]): S | undefined {
  return states.find((state) => state.name === name) ?? states.find(({ formerly = [] }) => formerly.includes(name));
}
