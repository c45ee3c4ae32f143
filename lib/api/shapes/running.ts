import type { KeyedContext, Output } from '../../graph/job.ts';
import type { StateSpecs } from '../state.ts';

/** What a shape does with each value of a key, as a keyed operator. */
export interface Running<K, T, R> {
  readonly state: StateSpecs;
  onRecord(value: T, handles: unknown, out: Output<R>, context: KeyedContext<K>): void;
}
