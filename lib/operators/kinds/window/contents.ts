import type { WindowContext, WindowFold, WindowProcess } from '../../../graph/windows.ts';
import type { CurrentRecord } from '../../../records/current-record.ts';
import { type Push, refusePromise } from '../../../records/push.ts';
import type { OrderedMap } from '../../../state/columns/map.ts';
import type { KeyedPlace } from '../../kind.ts';
import { type OutputScope, outputTo } from '../../output.ts';
import { openSideOutputs } from '../../side-outputs.ts';
import type { Pane, ValuePlace } from './panes.ts';

/** What is said of a window beside its values. */
export interface WindowFacts {
  readonly startMs: number;
  readonly endMs: number;
  readonly isEarly: boolean;
  readonly isUpdate: boolean;
  /** Of what is made of it. */
  readonly timestamp: number;
}

/** What is kept of values, and what is made of them at last. */
export interface WindowContents {
  /** Takes a value in, which has this time, and is the next of the pane. */
  add(pane: Pane, value: unknown, atMs: number): void;
  /** Takes another pane's values in; those of `other` are later. */
  merge(pane: Pane, other: Pane): void;
  /** Passes on what is made of a window. */
  give(pane: Pane, facts: WindowFacts): void;
  /** No window needs values of these times any more. */
  drop(fromMs: number, toMs: number): void;
}

export function folded({ first, add, merge, result }: WindowFold, current: CurrentRecord, next: Push): WindowContents {
  return {
    add(pane, value) {
      pane.accumulator = expectMade('add', pane.count === 0 ? first(value) : add(pane.accumulator, value));
      pane.count++;
    },
    merge(pane, other) {
      if (merge === undefined) throw new Error('accumulators are to be merged without a function for that');
      pane.accumulator = expectMade('merge', pane.count === 0 ? other.accumulator : merge(pane.accumulator, other.accumulator));
      pane.count += other.count;
    },
    give(pane, facts) {
      current.timestamp = facts.timestamp;
      const made = result(pane.accumulator, contextOf(current, pane, facts));
      if (typeof made === 'object') refusePromise(made);
      next(made);
    },
    drop() {},
  };
}

/** Behind every value of a time. */
const MOST = 2 ** 48 - 1;

/** Where the windows of `uid` are. */
interface CollectedPlace extends Pick<KeyedPlace, 'current' | 'side'>, OutputScope {
  readonly uid: string;
  readonly next: Push;
}

export function collected(
  { process, sideOutputs: tags }: WindowProcess,
  values: OrderedMap<ValuePlace, unknown>,
  at: CollectedPlace,
): WindowContents {
  const { uid, current } = at;
  const place: ValuePlace = { timeMs: 0, sequence: 0 };
  const out = outputTo(uid, 'out', at, at.next);
  const sideOutputs = openSideOutputs(uid, tags, at);
  const placeAt = (timeMs: number, sequence: number): ValuePlace => {
    place.timeMs = timeMs;
    place.sequence = sequence;
    return place;
  };
  return {
    add(pane, value, atMs) {
      values.set(placeAt(atMs, pane.count), value);
      pane.count++;
    },
    merge(pane, other) {
      pane.count += other.count;
    },
    give(pane, facts) {
      current.timestamp = facts.timestamp;
      const all: unknown[] = [];
      const [from, to] = [
        { timeMs: facts.startMs - 1, sequence: MOST },
        { timeMs: facts.endMs - 1, sequence: MOST },
      ];
      values.eachCopyWithin(from, to, (value) => all.push(value));
      const answer = process(all, { ...contextOf(current, pane, facts), sideOutputs }, out);
      if (typeof answer === 'object') refusePromise(answer);
    },
    drop(fromMs, toMs) {
      const start = placeAt(fromMs - 1, MOST);
      for (let at = values.keyBehind(start); at !== undefined && at.timeMs <= toMs; at = values.keyBehind(at)) values.delete(at);
    },
  };
}

function contextOf({ key }: CurrentRecord, { count }: Pane, { startMs, endMs, isEarly, isUpdate }: WindowFacts): WindowContext<unknown> {
  return { key, startMs, endMs, count, isEarly, isUpdate };
}

/** A function that changes what it is given in place has to return it as well. */
function expectMade(what: string, made: unknown): unknown {
  if (made === undefined) throw new TypeError(`the function ${what} of a window returned undefined: return what is to be kept`);
  if (typeof made === 'object') refusePromise(made);
  return made;
}
