import type { Serde } from '../format/serde.ts';
import type { StateTtl } from './columns/lifetime.ts';

/** What every state declares, whatever its kind. A kind's own declaration has a literal for `kind`, and what else it needs. */
export interface DeclaredState {
  readonly kind: string;
  readonly name: string;
  /** Of what it holds, in the order that its kind says. It cannot be read back through serdes of other names. */
  readonly serdes: readonly Serde<unknown>[];
  /** Undefined: it keeps what it holds until that is cleared. What expires are its values, accumulators or entries, by themselves. */
  readonly ttl?: StateTtl | undefined;
}
