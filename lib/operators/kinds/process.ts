import { handlesByName } from '../../config/by-name.ts';
import type { KeyedContext, OnRecord, ProcessNode } from '../../graph/job.ts';
import { OversizedRecordError, UserCodeError } from '../../records/errors.ts';
import { type Push, refusePromise } from '../../records/push.ts';
import { StateSet } from '../../state/state-set.ts';
import { openBroadcast } from '../broadcast-side.ts';
import { firing } from '../firing.ts';
import type { KeyedKind, TakeRow } from '../kind.ts';
import { MetKeys } from '../met-keys.ts';
import { outputTo } from '../output.ts';
import { openSideOutputs } from '../side-outputs.ts';
import { timersFor } from '../timers.ts';
import { givenTo, holding, LATE } from './time-order.ts';

/** Runs the user's `onRecord` with the state of the record's key, and `onTimer` with that of the timer's. */
export const process: KeyedKind<ProcessNode> = {
  open(node, place) {
    const { current, scope, clock, maxParallelism, keyGroups, memory, next: behind, side } = place;
    const { uid, onRecord, onTimer } = node;
    const next = behind();
    const state = new StateSet({ uid, states: node.states, maxParallelism, keyGroups, scope, clock, memory });
    const broadcast = openBroadcast(node, place);
    const handles =
      broadcast === undefined
        ? state.handles
        : handlesByName([...Object.entries(state.handles), ...Object.entries(broadcast.state.handles)]);
    const { keys } = state;
    const met = new MetKeys(uid, state);
    const timers = timersFor(node, state.timers);
    // Of no use outside of a record of this operator: neither when no user code runs, nor to what takes in what is broadcast, which has no key.
    const out = outputTo(uid, 'out', { scope, keys }, next);
    const sideOutputs = openSideOutputs(uid, node.sideOutputs, { scope, keys, side });
    const context: KeyedContext<unknown> = {
      get key() {
        return keys.current < 0 ? scope.refuse(uid, 'context.key') : current.key;
      },
      get timestamp() {
        return keys.current < 0 ? scope.refuse(uid, 'context.timestamp') : current.timestamp;
      },
      get watermarkMs() {
        return keys.current < 0 ? scope.refuse(uid, 'context.watermarkMs') : clock.known().watermarkMs;
      },
      get processingTimeMs() {
        return keys.current < 0 ? scope.refuse(uid, 'context.processingTimeMs') : clock.known().processingMs;
      },
      get timers() {
        return keys.current < 0 ? scope.refuse(uid, 'context.timers') : timers;
      },
      sideOutputs,
    };

    const taking = (take: OnRecord): TakeRow => {
      return (index, value) => {
        keys.current = met.numbers[index] as number;
        try {
          const result = take(value, handles, out, context);
          if (typeof result === 'object') refusePromise(result);
        } catch (cause) {
          throw named(cause);
        }
      };
    };

    const holdingRows = (hold: Push): TakeRow => {
      return (index, value) => {
        keys.current = met.numbers[index] as number;
        try {
          hold(value);
        } catch (cause) {
          throw named(cause);
        }
      };
    };

    /** What failed behind this operator was named where it failed. */
    function named(cause: unknown): unknown {
      return cause instanceof UserCodeError || cause instanceof OversizedRecordError ? cause : new UserCodeError(uid, cause);
    }

    const hold = state.waiting === undefined ? undefined : holding(state.waiting, onRecord.length, side(LATE), current, clock);

    return {
      uid,
      state,
      broadcast,
      inputs: onRecord.map((take, input) => (hold === undefined ? taking(take) : holdingRows(hold(input)))),
      meet(reader) {
        met.meet(reader);
        broadcast?.state.turnOn();
      },
      takeBack() {
        met.takeBack();
        broadcast?.takeBack();
      },
      leave() {
        met.leave();
        broadcast?.state.turnOff();
      },
      endEpoch: firing(place, uid, state, {
        give: hold === undefined ? undefined : givenTo(onRecord, (take, value) => take(value, handles, out, context)),
        fire: onTimer === undefined ? undefined : (timer) => onTimer(timer, handles, out, context),
        inputs: onRecord.length,
        broadcast: broadcast?.state,
      }),
    };
  },
};
