import type { Serde } from '../../format/serde.ts';
import type { KeyedContext, Output, Timer } from '../../graph/job.ts';
import type { StateSpecs } from '../state.ts';

/** One of the streams that are joined. */
export interface JoinSide {
  /** The keyBy. */
  readonly node: number;
  /** How its values cross the exchange; as state they are kept in the same form. */
  readonly value: Serde<unknown>;
}

/** What a join does, as a keyed operator of two inputs. */
export interface DraftedJoin {
  readonly state: StateSpecs;
  /** What the inputs are. */
  readonly names: readonly [string, string];
  readonly onRecord: readonly [JoinFunction, JoinFunction];
  readonly onTimer?: (timer: Timer, state: unknown, out: Output<unknown>, context: KeyedContext<unknown>) => void;
}

type JoinFunction = (value: unknown, state: unknown, out: Output<unknown>, context: KeyedContext<unknown>) => void;
