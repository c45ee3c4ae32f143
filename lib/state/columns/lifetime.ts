import type { DeclaredState, StateTtl } from '../declared-state.ts';
import type { KeyIndex } from '../key-index.ts';

/**
 * How the values and entries of a state age. A state with a time to live keeps, in memory and in snapshots, in front of each encoding
 * the processing time of the epoch that wrote it: milliseconds, 8 bytes, big-endian. Kept encodings are compared as texts: an older
 * one is less.
 */
export interface Lifetime {
  /** Does anything ever expire? */
  readonly ends: boolean;
  /** Has what was kept expired? Never, if it was written in this epoch. */
  isOver(kept: string): boolean;
  /** What is to be kept of an encoding that is written now. */
  written(encoded: string): string;
  /** What is to be kept of it in place of `kept`, as old as that. */
  inPlaceOf(kept: string, encoded: string): string;
  /** What is to be kept of a value that is given out. */
  read(kept: string): string;
  /** The encoding alone. */
  encodingOf(kept: string): string;
  /** The least that has not expired. */
  bound(): string;
}

/** Of the state, by its `ttl`. */
export function lifetimeOf(keys: KeyIndex, state: DeclaredState): Lifetime {
  return state.ttl === undefined ? forever : new Limited(keys, state, state.ttl);
}

/** Of the serde of what expires, in what is remembered of a state: one with a time to live is another than one without. */
export function expiring(serde: string): string {
  return `expiring(${serde})`;
}

/** In front of each encoding. */
export const STAMP_BYTES = 8;

const forever: Lifetime = {
  ends: false,
  isOver: () => false,
  written: (encoded) => encoded,
  inPlaceOf: (_, encoded) => encoded,
  read: (kept) => kept,
  encodingOf: (kept) => kept,
  bound: () => '',
};

class Limited implements Lifetime {
  readonly ends = true;
  readonly #clock: NonNullable<KeyIndex['clock']>;
  readonly #ttl: StateTtl;
  /** For which the other two were made. */
  #processingMs = -1;
  #now = '';
  #bound = '';

  constructor({ clock, uid }: KeyIndex, { name }: DeclaredState, ttl: StateTtl) {
    if (clock === undefined) throw new Error(`${uid}: state ${name} has a time to live, and there is no clock`);
    this.#clock = clock;
    this.#ttl = ttl;
  }

  isOver(kept: string): boolean {
    return kept < this.bound();
  }

  written(encoded: string): string {
    this.#look();
    return this.#now + encoded;
  }

  inPlaceOf(kept: string, encoded: string): string {
    return kept.slice(0, STAMP_BYTES) + encoded;
  }

  read(kept: string): string {
    return this.#ttl.refreshOn === 'write' ? kept : this.written(this.encodingOf(kept));
  }

  encodingOf(kept: string): string {
    return kept.slice(STAMP_BYTES);
  }

  bound(): string {
    this.#look();
    return this.#bound;
  }

  /** The clock's time is that of an epoch. */
  #look(): void {
    const { processingMs } = this.#clock;
    if (processingMs === this.#processingMs) return;
    this.#processingMs = processingMs;
    this.#now = stampOf(processingMs);
    this.#bound = stampOf(Math.max(0, processingMs - this.#ttl.ttlMs + 1));
  }
}

function stampOf(timeMs: number): string {
  const bytes = Buffer.alloc(STAMP_BYTES);
  bytes.writeBigUInt64BE(BigInt(timeMs));
  return bytes.toString('latin1');
}

/** The entries of a key's list or map that have expired are looked for only when its oldest has: by key number, what is not younger than it. */
export class Oldest {
  readonly #lifetime: Lifetime;
  /** Of a key that is not here nothing is known. */
  readonly #bounds = new Map<number, string>();

  constructor(lifetime: Lifetime) {
    this.#lifetime = lifetime;
  }

  /** May an entry have expired? */
  mayBeOver(number: number): boolean {
    return this.#lifetime.ends && this.#lifetime.isOver(this.#bounds.get(number) ?? '');
  }

  /** The key's entries were looked at: these are left. */
  saw(number: number, kept: Iterable<string>): void {
    let oldest = this.#lifetime.written('');
    for (const each of kept) if (each < oldest) oldest = each.slice(0, STAMP_BYTES);
    this.#bounds.set(number, oldest);
  }

  forget(number: number): void {
    this.#bounds.delete(number);
  }

  drop(): void {
    this.#bounds.clear();
  }
}
