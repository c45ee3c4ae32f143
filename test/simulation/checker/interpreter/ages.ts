import type { Serde } from '../../../../lib/format/serde.ts';
import type { StateDeclaration } from '../../../../lib/state/columns/columns.ts';
import type { Kept } from '../blobs.ts';
import { decoded, encoded } from './rows.ts';

const STAMP_BYTES = 8;

/** A value, an accumulator or an entry, and the processing time at which it was last written. */
export interface Item {
  readonly value: unknown;
  sinceMs: number;
}

/** How the items of one state age. One without a time to live keeps no times. */
export class Ages {
  readonly #ttl: StateDeclaration['ttl'];
  readonly #nowMs: number;

  constructor({ ttl }: StateDeclaration, nowMs: number) {
    this.#ttl = ttl;
    this.#nowMs = nowMs;
  }

  written(value: unknown): Item {
    return { value, sinceMs: this.#nowMs };
  }

  /** The item's value is given out. */
  give(item: Item): unknown {
    if (this.#ttl?.refreshOn === 'read-and-write') item.sinceMs = this.#nowMs;
    return item.value;
  }

  read(serde: Serde<unknown>, kept: Buffer): Item {
    if (this.#ttl === undefined) return { value: decoded(serde, kept), sinceMs: 0 };
    return { value: decoded(serde, kept.subarray(STAMP_BYTES)), sinceMs: Number(kept.readBigInt64BE(0)) };
  }

  write(serde: Serde<unknown>, { value, sinceMs }: Item): Buffer {
    if (this.#ttl === undefined) return encoded(serde, value);
    const stamp = Buffer.alloc(STAMP_BYTES);
    stamp.writeBigInt64BE(BigInt(sinceMs));
    return Buffer.concat([stamp, encoded(serde, value)]);
  }
}

/** The states of each key without what has expired; those of which nothing is left are not there, nor keys without any. */
export function livingIn(
  keys: ReadonlyMap<string, ReadonlyMap<string, Kept>>,
  declared: readonly StateDeclaration[],
  nowMs: number,
): Map<string, Map<string, Kept>> {
  const all = new Map<string, Map<string, Kept>>();
  for (const [key, states] of keys) {
    const living = new Map<string, Kept>();
    for (const [name, kept] of states) {
      const ttlMs = declared.find((state) => state.name === name)?.ttl?.ttlMs;
      const left = ttlMs === undefined ? kept : livingOf(kept, (item) => Number(item.readBigInt64BE(0)) > nowMs - ttlMs);
      if (left !== undefined) living.set(name, left);
    }
    if (living.size > 0) all.set(key, living);
  }
  return all;
}

function livingOf(kept: Kept, lives: (item: Buffer) => boolean): Kept | undefined {
  if (Buffer.isBuffer(kept)) return lives(kept) ? kept : undefined;
  if (kept instanceof Map) {
    const left = [...(kept as ReadonlyMap<string, Buffer>)].filter(([, item]) => lives(item));
    return left.length === 0 ? undefined : new Map(left);
  }
  const left = (kept as readonly Buffer[]).filter(lives);
  return left.length === 0 ? undefined : left;
}
