import type { Serde } from '../../../../lib/format/serde.ts';
import type { Kept } from '../blobs.ts';
import type { Handle } from './handles.ts';
import { decoded, encoded } from './rows.ts';

/*
 * Where a row comes from: `r`, the source's uid, partition, offset; or `t`, the operator's uid, the domain and the key of the timer. Then
 * which it was of those that were made of it, at each keyBy that it passed.
 */

export const originOfRecord = (uid: string, partition: number, offset: number) => `r|${uid}|${partition}|${offset}|`;

export const originOfTimer = (uid: string, domain: string, key: Buffer) => `t|${uid}|${domain}|${key.toString('hex')}`;

export function madeOf(origin: string, nth: number): string {
  return origin.startsWith('t') ? `${origin}${nth.toString(16).padStart(8, '0')}` : `${origin}.${nth}`;
}

/** What came of records before what came of timers; by uid; of records by partition, offset, and as which it was made. */
export function compareOrigins(one: string, other: string): number {
  const [[kind = '', uid = '', ...rest], [otherKind = '', otherUid = '', ...otherRest]] = [one.split('|'), other.split('|')];
  if (kind !== otherKind) return kind === 'r' ? -1 : 1;
  if (uid !== otherUid) return uid < otherUid ? -1 : 1;
  if (kind === 't') return rest.join('|') < otherRest.join('|') ? -1 : 1;
  const numbers = (parts: readonly string[]) => parts.flatMap((part) => part.split('.').filter((n) => n !== '')).map(Number);
  const [ns, others] = [numbers(rest), numbers(otherRest)];
  const at = ns.findIndex((n, index) => n !== others[index]);
  return at < 0 || others[at] === undefined ? ns.length - others.length : (ns[at] as number) - others[at];
}

/** The rows of one key that wait: what is kept has `time origin` for each; of an operator with several inputs `time origin input`. */
export class WaitingHandle implements Handle {
  readonly #serde: Serde<unknown>;
  readonly #rows: Map<string, Buffer>;

  constructor(serde: Serde<unknown>, kept: ReadonlyMap<string, Buffer>) {
    this.#serde = serde;
    this.#rows = new Map(kept);
  }

  /** @param input undefined: there is one */
  put(timeMs: number, origin: string, input: number | undefined, value: unknown): void {
    const nameOf = (of: string) => `${timeMs} ${of}${input === undefined ? '' : ` ${input}`}`;
    let unique = origin;
    // Of a topic that was made anew.
    while (this.#rows.has(nameOf(unique))) unique = madeOf(unique, 0);
    const name = nameOf(unique);
    this.#rows.set(name, encoded(this.#serde, value));
  }

  take(name: string): unknown {
    const row = this.#rows.get(name);
    this.#rows.delete(name);
    return row === undefined ? undefined : decoded(this.#serde, row);
  }

  takeBack(): ReadonlyMap<string, Buffer> | undefined {
    return this.#rows.size === 0 ? undefined : this.#rows;
  }
}

export interface OneRow {
  readonly key: Buffer;
  readonly timeMs: number;
  readonly origin: string;
  readonly input: number;
  readonly name: string;
}

/** All rows that wait in the states of some keys. */
export function rowsIn(keys: ReadonlyMap<string, ReadonlyMap<string, Kept>>, isOwn: (key: Buffer) => boolean): OneRow[] {
  return [...keys].flatMap(([key, states]) => {
    const bytes = Buffer.from(key, 'latin1');
    const kept = states.get('@waiting');
    if (!(kept instanceof Map) || !isOwn(bytes)) return [];
    return [...kept.keys()].map((name: string): OneRow => {
      const [timeMs, origin = '', input = '0'] = name.split(' ');
      return { key: bytes, timeMs: Number(timeMs), origin, input: Number(input), name };
    });
  });
}

/** The first of them: by time, then by key group, key, input and origin. */
export function firstOf(rows: readonly OneRow[], keyGroupOf: (key: Buffer) => number): OneRow | undefined {
  const [first] = rows.toSorted(
    (one, other) =>
      one.timeMs - other.timeMs ||
      keyGroupOf(one.key) - keyGroupOf(other.key) ||
      Buffer.compare(one.key, other.key) ||
      one.input - other.input ||
      compareOrigins(one.origin, other.origin),
  );
  return first;
}
