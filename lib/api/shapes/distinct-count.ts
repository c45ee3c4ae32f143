import type { OlderForm, Serde } from '../../format/serde.ts';
import { int32 } from '../../format/serdes.ts';
import type { WindowFold } from '../../graph/windows.ts';
import { readSized, writeSized } from '../../state/columns/encoding.ts';
import type { MapState } from '../../state/columns/map.ts';
import { Cursor } from '../../state/snapshot/cursor.ts';
import { mapState, type TtlOptions, withTtl } from '../state.ts';
import { refuseAsync } from '../user-function.ts';
import { expectKeySerde } from '../user-serde.ts';
import { encodingOf } from './encoding-of.ts';
import type { Running } from './running.ts';

/** For how long `distinctCount` remembers. */
export interface DistinctCountOptions {
  /** In milliseconds of processing time, 1 at least: what has not come for so long is not counted any more. @default for ever */
  readonly ttlMs?: TtlOptions['ttlMs'];
}

/** What `distinctCount` gives for each value. */
export interface KeyCount<K> {
  /** Whose values were counted. */
  readonly key: K;
  /** So many different values the key has had. */
  readonly count: number;
}

/** What is counted of a value: told from others by what the serde writes of it. */
export interface Counted {
  readonly selector: (value: unknown) => unknown;
  readonly serde: Serde<unknown>;
}

/** @param where begins messages. Throws `JobDefinitionError`. */
export function countedBy(selector: unknown, serde: unknown, where: string): Counted {
  refuseAsync(selector, `${where}: selector`);
  expectKeySerde(serde, `${where}: serde`);
  return { selector, serde } as Counted;
}

/** Keeps what is different in a window: its encodings. */
export function distinctOfWindow({ selector, serde }: Counted, result: WindowFold['result']): WindowFold {
  const add = (seen: unknown, value: unknown) => (seen as Set<string>).add(encodingOf(serde, selected(selector, value)));
  const merge = (seen: unknown, other: unknown) => {
    for (const one of other as Set<string>) (seen as Set<string>).add(one);
    return seen;
  };
  return {
    kind: 'fold',
    first: (value) => add(new Set<string>(), value),
    add,
    merge,
    result: (seen, context) => result((seen as Set<string>).size, context),
  };
}

/** Encodings behind their number, each behind its size, in the order in which they came. */
export function distinctSerde(of: Serde<unknown>): Serde<Set<string>> {
  const made = encodingsOf(of.name);
  const older = of.older?.map((form): OlderForm => {
    const { name, read } = encodingsOf(form.name);
    const migrated = (one: string) => encodingOf(of, form.read(Buffer.from(one, 'latin1'), 0, one.length));
    return { name, read: (...from) => new Set([...read(...from)].map(migrated)) };
  });
  return older === undefined ? made : { ...made, older };
}

function encodingsOf(of: string): Serde<Set<string>> {
  const name = `different ${of}`;
  return {
    name,
    write(seen, out) {
      out.varint(seen.size);
      for (const one of seen) writeSized(one, out);
    },
    read(bytes, start, end) {
      const cursor = new Cursor(bytes, name, start, end);
      return new Set(Array.from({ length: cursor.count(1) }, () => readSized(cursor)));
    },
  };
}

interface State {
  readonly seen: MapState<unknown, number>;
}

/** Keeps what is different of a key, and says how many there are at each value. */
export function runningDistinct<K, T>({ selector, serde }: Counted, ttlMs: number | undefined): Running<K, T, KeyCount<K>> {
  const seen = mapState(serde, int32);
  return {
    state: { seen: ttlMs === undefined ? seen : withTtl(seen, { ttlMs }) },
    onRecord(value, handles, out, { key }) {
      const held = (handles as State).seen;
      held.set(selected(selector, value), 1);
      out.emit({ key, count: held.size });
    },
  };
}

function selected(selector: Counted['selector'], value: unknown): unknown {
  const one = selector(value);
  if (one === undefined) throw new TypeError('the selector of distinctCount gave undefined; filter values without it out before');
  // As keys are: 0 and -0 are one.
  return one === 0 ? 0 : one;
}
