import type { Due } from '../../protocol/event-time.ts';
import type { DeclaredState } from '../declared-state.ts';
import type { WrittenState } from '../snapshot/writer.ts';
import type { Translation } from './translation.ts';

/**
 * What one state holds of all keys, by key number, and the handle on what it holds of the current key (`KeyIndex.current`).
 * No key costs an object of its own. What is written and read here is this kind's own format: a snapshot holds it behind its
 * length.
 *
 * Before a key's state changes for the first time since the last snapshot, a column says so (`KeyIndex.change`): then the key is
 * in the next delta, with what every column has of it.
 */
export interface Column extends WrittenState {
  readonly state: DeclaredState;
  /** What `onRecord` gets. Outside of records its methods throw (`currentOf`). Undefined: it gets nothing. */
  readonly handle: unknown;
  /** There is a number more, the next one, and the state holds nothing of it. */
  extend(): void;
  /** Does the state hold nothing of the key? What was given out has been taken back. */
  isEmpty(number: number): boolean;
  /**
   * Takes in what `write` has written of a key: a base's part in place of what there is, a delta's on top of it. What other serdes have
   * written is kept as `translation` says, so that a column holds, and writes, the form of now alone.
   */
  apply(number: number, bytes: Buffer, start: number, end: number, translation?: Translation): void;
  /** Holds nothing of the key any more. No change: it says so to nobody. */
  forget(number: number): void;
  /** Holds nothing of the key any more that has expired. No change either. Called of a state that has a time to live. */
  forgetExpired?(number: number): void;
  /** The records are done with: takes back what was given out. Throws `StateValueError` when it cannot be encoded. */
  takeBack(): void;
  /** All that has changed is in a snapshot now. */
  settle(): void;
  /** Forgets everything. */
  drop(): void;
  /** What the state holds of the current key, for people and tests: copies. Undefined: nothing that they would understand. */
  read?(): unknown;
  /** The earliest that waits for a time, of all keys in memory. Undefined: nothing does. */
  due?(): Due | undefined;
  /** The same of one key. */
  dueOf?(number: number): Due | undefined;
  /** Bytes of memory that what it holds of the key takes, by estimate, without looking at all of it. */
  weigh(number: number): number;
}
