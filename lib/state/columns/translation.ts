import type { Serde } from '../../format/serde.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import type { DeclaredState } from '../declared-state.ts';
import { type StoredState, storedStates } from '../stored-state.ts';
import { encode } from './encoding.ts';
import { STAMP_BYTES } from './lifetime.ts';

/** What is kept of an entry in the form of now, of what an earlier form kept of it. */
export type Translate = (kept: string) => string;

/** By serde of a state, how what another form of it has written is taken in. Undefined of one: it wrote it itself. */
export type Translation = readonly (Translate | undefined)[];

/** Of what was written by serdes of these names, which the state reads (`readsSerdes`). Undefined: all of it is in the form of now. */
export function translationOf(state: DeclaredState, written: readonly string[]): Translation | undefined {
  const [{ serdes: own, reads = [] }] = storedStates([state]) as [StoredState];
  if (own.every((name, index) => name === written[index])) return undefined;
  return state.serdes.map((serde, index) => {
    if (own[index] === written[index]) return undefined;
    const form = serde.older?.[reads[index]?.indexOf(written[index] ?? '') ?? -1];
    if (form === undefined) throw new Error(`state ${state.name} does not read what serde ${written[index]} has written`);
    const migrated = (encoded: string) => encode(state.name, serde, readOlder(state.name, serde, form, encoded));
    // What expires is what the last serde writes.
    if (state.ttl === undefined || index < state.serdes.length - 1) return migrated;
    return (kept) => kept.slice(0, STAMP_BYTES) + migrated(kept.slice(STAMP_BYTES));
  });
}

function readOlder(state: string, serde: Serde<unknown>, form: NonNullable<Serde<unknown>['older']>[number], encoded: string): unknown {
  const bytes = Buffer.from(encoded, 'latin1');
  try {
    const value = form.read(bytes, 0, bytes.length);
    if (value === undefined) throw new TypeError('migrate returned undefined');
    return value;
  } catch (cause) {
    throw new MalformedError(
      `state ${state} has a value that was written by serde ${form.name} and cannot be made one of ${serde.name}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
