import type { KeyedContext, ProcessNode } from '../../graph/job.ts';
import { OversizedRecordError, UserCodeError } from '../../records/errors.ts';
import { refusePromise } from '../../records/push.ts';
import { StateSet } from '../../state/state-set.ts';
import { firing } from '../firing.ts';
import type { KeyedKind, TakeRow } from '../kind.ts';
import { timersFor } from '../timers.ts';
import { holding, LATE } from './time-order.ts';

/** Runs the user's `onRecord` with the state of the record's key, and `onTimer` with that of the timer's. */
export const process: KeyedKind<ProcessNode> = {
  open(node, place) {
    const { current, scope, clock, maxParallelism, keyGroups, next: behind, side } = place;
    const { uid, onRecord, onTimer } = node;
    const next = behind();
    const state = new StateSet({ uid, states: node.states, maxParallelism, keyGroups, scope, clock });
    const { keys } = state;
    const timers = timersFor(node, state.timers);
    const out = {
      emit(value: unknown) {
        if (!scope.isOpen) scope.refuse(uid, 'out.emit');
        if (typeof value === 'object') refusePromise(value);
        next(value);
      },
    };
    const context: KeyedContext<unknown> = {
      get key() {
        return scope.isOpen ? current.key : scope.refuse(uid, 'context.key');
      },
      get timestamp() {
        return scope.isOpen ? current.timestamp : scope.refuse(uid, 'context.timestamp');
      },
      get watermarkMs() {
        return scope.isOpen ? clock.known().watermarkMs : scope.refuse(uid, 'context.watermarkMs');
      },
      get processingTimeMs() {
        return scope.isOpen ? clock.known().processingMs : scope.refuse(uid, 'context.processingTimeMs');
      },
      get timers() {
        return scope.isOpen ? timers : scope.refuse(uid, 'context.timers');
      },
    };
    /** The state's numbers of the segment's keys, by index. */
    let numbers = new Uint32Array(1024);

    const takeRow: TakeRow = (index, value) => {
      keys.current = numbers[index] as number;
      try {
        const result = onRecord(value, state.handles, out, context);
        if (typeof result === 'object') refusePromise(result);
      } catch (cause) {
        throw named(cause);
      }
    };

    const hold = state.waiting === undefined ? undefined : holding(state.waiting, side(LATE), current, clock);
    const holdRow: TakeRow = (index, value) => {
      keys.current = numbers[index] as number;
      try {
        hold?.(value);
      } catch (cause) {
        throw named(cause);
      }
    };

    /** What failed behind this operator was named where it failed. */
    function named(cause: unknown): unknown {
      return cause instanceof UserCodeError || cause instanceof OversizedRecordError ? cause : new UserCodeError(uid, cause);
    }

    return {
      uid,
      state,
      inputs: node.inputs.map(() => (hold === undefined ? takeRow : holdRow)),
      meet({ keys: met, bytes, keyStarts, keyEnds, hashes }) {
        state.forgetMet();
        if (met > numbers.length) numbers = new Uint32Array(met * 2);
        for (let index = 0; index < met; index++)
          numbers[index] = keys.numberOf(bytes, keyStarts[index] as number, keyEnds[index] as number, hashes[index] as number);
      },
      takeBack() {
        try {
          state.takeBack();
        } catch (cause) {
          throw new UserCodeError(uid, cause);
        }
      },
      endEpoch: firing(place, uid, state, {
        give: hold === undefined ? undefined : (value) => onRecord(value, state.handles, out, context),
        fire: onTimer === undefined ? undefined : (timer) => onTimer(timer, state.handles, out, context),
      }),
    };
  },
};
