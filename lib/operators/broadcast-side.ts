import type { BroadcastContext, ProcessNode } from '../graph/job.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import { UserCodeError } from '../records/errors.ts';
import { type Push, refusePromise } from '../records/push.ts';
import { BroadcastState } from '../state/broadcast-state.ts';
import type { RecordScope } from '../state/record-scope.ts';
import type { EpochClock } from './epoch-clock.ts';

/** What a keyed operator does with what is broadcast to it. */
export interface OpenBroadcast {
  readonly state: BroadcastState;
  /** By its inputs that are broadcast: takes one value. Throws `UserCodeError`. */
  readonly inputs: readonly Push[];
  /** All that was broadcast in this epoch was taken: from here on the state is only read. Throws `UserCodeError`. */
  seal(): void;
  /** Rows are done with. Throws `UserCodeError` when one of them has changed in place what the state gave out. */
  takeBack(): void;
}

/** Where it runs. */
export interface BroadcastPlace {
  readonly current: CurrentRecord;
  readonly scope: RecordScope;
  readonly clock: EpochClock;
  readonly maxParallelism: number;
}

/** Undefined: nothing is broadcast to it. */
export function openBroadcast(
  { uid, broadcast }: ProcessNode,
  { current, scope, clock, maxParallelism }: BroadcastPlace,
): OpenBroadcast | undefined {
  if (broadcast === undefined) return undefined;
  const state = new BroadcastState({ uid, states: broadcast.states, maxParallelism, scope });
  const context: BroadcastContext = {
    get timestamp() {
      return scope.isOpen ? current.timestamp : scope.refuse(uid, 'context.timestamp');
    },
    get watermarkMs() {
      return scope.isOpen ? clock.known().watermarkMs : scope.refuse(uid, 'context.watermarkMs');
    },
    get processingTimeMs() {
      return scope.isOpen ? clock.known().processingMs : scope.refuse(uid, 'context.processingTimeMs');
    },
  };
  const named = (work: () => void): void => {
    try {
      work();
    } catch (cause) {
      throw new UserCodeError(uid, cause);
    }
  };
  return {
    state,
    inputs: broadcast.onRecord.map((take) => (value) => {
      named(() => {
        const result = take(value, state.handles, context);
        if (typeof result === 'object') refusePromise(result);
      });
    }),
    seal: () => named(() => state.seal()),
    takeBack: () => named(() => state.takeBack()),
  };
}
