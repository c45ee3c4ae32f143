import type { WindowNode } from '../../../graph/job.ts';
import { OversizedRecordError, UserCodeError } from '../../../records/errors.ts';
import type { OrderedMap } from '../../../state/columns/map.ts';
import { StateSet } from '../../../state/state-set.ts';
import { firing } from '../../firing.ts';
import type { KeyedKind, KeyedPlace, TakeRow } from '../../kind.ts';
import { MetKeys } from '../../met-keys.ts';
import type { OfInput } from '../../of-input.ts';
import { LATE } from '../time-order.ts';
import { alignmentOf } from './aligned.ts';
import { collected, folded, type WindowContents } from './contents.ts';
import { openCounts } from './counts.ts';
import { openEachWindow } from './each-window.ts';
import type { OpenWindows, WindowsPlace } from './open-windows.ts';
import type { Pane, ValuePlace } from './panes.ts';
import { openSessions } from './sessions.ts';
import { openSlices } from './slices.ts';
import { sharesSlices, VALUES, WINDOWS } from './states.ts';
import { WindowTime } from './window-time.ts';

/** Collects the values of a key by windows, and gives what is made of a window when it is over. */
export const window: KeyedKind<WindowNode> = {
  open(node, place) {
    const { current, scope, clock, maxParallelism, keyGroups, memory, side } = place;
    const { uid, shape } = node;
    const state = new StateSet({ uid, states: node.states, maxParallelism, keyGroups, scope, memory });
    const { keys, timers } = state;
    const panes = state.handles[WINDOWS] as OrderedMap<number, Pane>;
    const contents = contentsOf(node, place, state);
    const aside = side(LATE);
    // Of several inputs each value is kept with which of them it is of.
    const isJoined = node.inputs.length > 1;
    const late = isJoined ? (value: unknown) => aside((value as OfInput).value) : aside;
    const time = timers === undefined ? undefined : new WindowTime(node, current, clock, timers);
    const windows =
      time === undefined ? undefined : openWindows(node, { panes, contents, time, allowedLatenessMs: node.allowedLatenessMs, late });
    const take = shape.kind === 'count' ? openCounts(shape.size, panes, contents, current) : (windows as OpenWindows).take;
    const met = new MetKeys(uid, state);

    const takeRow: TakeRow = (index, value) => {
      keys.current = met.numbers[index] as number;
      try {
        take(value);
      } catch (cause) {
        // What failed behind this operator was named where it failed.
        if (cause instanceof UserCodeError || cause instanceof OversizedRecordError) throw cause;
        throw new UserCodeError(uid, cause);
      }
    };

    return {
      uid,
      state,
      inputs: node.inputs.map((_, input): TakeRow => {
        return isJoined ? (index, value) => takeRow(index, { input, value } satisfies OfInput) : takeRow;
      }),
      meet: (reader) => met.meet(reader),
      takeBack: () => met.takeBack(),
      leave: () => met.leave(),
      endEpoch: firing(place, uid, state, {
        give: undefined,
        fire({ domain, timeMs }) {
          const overMs = time?.overBy(domain, timeMs);
          if (overMs !== undefined) windows?.close(overMs);
          if (time?.isEarly(domain) === true) windows?.giveEarly(timeMs);
        },
      }),
    };
  },
};

function contentsOf({ uid, make }: WindowNode, { current, scope, side, next }: KeyedPlace, state: StateSet): WindowContents {
  const behind = next();
  if (make.kind === 'fold') return folded(make, current, behind);
  return collected(make, state.handles[VALUES] as OrderedMap<ValuePlace, unknown>, {
    uid,
    current,
    scope,
    keys: state.keys,
    side,
    next: behind,
  });
}

function openWindows({ shape, make }: WindowNode, place: WindowsPlace): OpenWindows | undefined {
  if (shape.kind === 'count') return undefined;
  if (shape.kind === 'session') return openSessions(shape.gapMs, place);
  return sharesSlices(shape, make) ? openSlices(alignmentOf(shape), place) : openEachWindow(alignmentOf(shape), place);
}
