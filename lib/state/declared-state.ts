import type { Serde } from '../format/serde.ts';

/** How long a state keeps what was written. */
export interface StateTtl {
  /** It has expired when processing time has come to that of its writing and this many milliseconds. */
  readonly ttlMs: number;
  /** Does a value that is given out live as long again as one that is written? */
  readonly refreshOn: 'write' | 'read-and-write';
}

/** What every state declares, whatever its kind. A kind's own declaration has a literal for `kind`, and what else it needs. */
export interface DeclaredState {
  readonly kind: string;
  readonly name: string;
  /** Names that it had in earlier builds: what was written under one of them is its. Undefined: it had no other. */
  readonly formerly?: readonly string[];
  /** Of what it holds, in the order that its kind says. It cannot be read back through serdes of other names. */
  readonly serdes: readonly Serde<unknown>[];
  /** Undefined: it keeps what it holds until that is cleared. What expires are its values, accumulators or entries, by themselves. */
  readonly ttl?: StateTtl | undefined;
}
