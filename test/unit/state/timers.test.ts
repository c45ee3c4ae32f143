import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import { int64 } from '../../../lib/format/serdes.ts';
import { keyGroupOf, keyGroupRange } from '../../../lib/protocol/key-groups.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type { TimeDomain, TimerColumn } from '../../../lib/state/columns/timers.ts';
import { OutsideRecordError } from '../../../lib/state/record-scope.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const MAX_PARALLELISM = 16;

function newState(subtask = 0, parallelism = 1): StateSet {
  return new StateSet({
    uid: 'op',
    states: [
      { kind: 'value', name: 'count', serdes: [int64 as never], initial: 0 },
      { kind: 'timers', name: '@timers', serdes: [] },
    ],
    maxParallelism: MAX_PARALLELISM,
    keyGroups: keyGroupRange(subtask, parallelism, MAX_PARALLELISM),
  });
}

const hashOf = (key: string) => murmur2(Buffer.from(key), 0, Buffer.byteLength(key));
const groupOf = (key: string) => keyGroupOf(hashOf(key), MAX_PARALLELISM);

function timersAt(state: StateSet, key: string): TimerColumn {
  const id = Buffer.from(key);
  state.keys.current = state.keys.numberOf(id, 0, id.length, hashOf(key));
  return state.timers as TimerColumn;
}

const shown = (timer: { readonly domain: string; readonly timeMs: number; readonly id: string }) =>
  `${timer.domain} ${timer.timeMs} ${timer.id}`;

/** All that are due, taken out. */
function fired(state: StateSet, watermarkMs = Number.MAX_SAFE_INTEGER, processingMs = Number.MAX_SAFE_INTEGER): string[] {
  const all: string[] = [];
  for (
    let due = state.timers?.takeDue(watermarkMs, processingMs);
    due !== undefined;
    due = state.timers?.takeDue(watermarkMs, processingMs)
  )
    all.push(shown(due));
  return all;
}

const blobOf = (parts: readonly Buffer[]) => Buffer.concat(parts);

describe('timers fire', () => {
  it('by time, also before 1970 and at the ends of what a number holds, and those of event time first', () => {
    const state = newState();
    const times = [5, -1, 0, 2 ** 32, -(2 ** 32), 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    for (const time of times) timersAt(state, 'k').set('event', time);
    timersAt(state, 'k').set('processing', -7);
    const inOrder = [...times].sort((one, other) => one - other).map((time) => `event ${time} k`);
    expect(fired(state)).toEqual([...inOrder, 'processing -7 k']);
  });

  it('of one time by key group, then by the bytes of the key', () => {
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
    const state = newState();
    for (const key of keys) timersAt(state, key).set('event', 1);
    const inOrder = keys.toSorted((one, other) => groupOf(one) - groupOf(other) || Buffer.compare(Buffer.from(one), Buffer.from(other)));
    expect(fired(state)).toEqual(inOrder.map((key) => `event 1 ${key}`));
  });

  it('when their own time has come, and not before', () => {
    const state = newState();
    timersAt(state, 'k').set('event', 10);
    timersAt(state, 'k').set('processing', 20);
    expect(fired(state, 9, 19)).toEqual([]);
    expect(fired(state, 9, 20)).toEqual(['processing 20 k']);
    expect(fired(state, 10, 0)).toEqual(['event 10 k']);
  });

  it('once, however often they were set, and not when they were deleted', () => {
    const state = newState();
    const timers = timersAt(state, 'k');
    timers.set('event', 1);
    timers.set('event', 1);
    timers.set('event', 2);
    timers.delete('event', 2);
    timers.delete('event', 3);
    expect(fired(state)).toEqual(['event 1 k']);
    expect(state.due()).toBeUndefined();
  });
});

test('a subtask knows the earliest that waits in each domain', () => {
  const state = newState();
  expect(state.due()).toBeUndefined();
  timersAt(state, 'b').set('event', 7);
  timersAt(state, 'a').set('event', 9);
  expect(state.due()).toEqual({ eventMs: 7, processingMs: undefined });
  timersAt(state, 'a').set('processing', 3);
  expect(state.due()).toEqual({ eventMs: 7, processingMs: 3 });
});

test('a key whose last timer has fired costs nothing', () => {
  const state = newState();
  timersAt(state, 'k').set('event', 1);
  state.takeDelta();
  expect(state.size).toBe(1);
  fired(state);
  state.takeDelta();
  expect(state.size).toBe(0);
});

test('a delta of a key with a hundred thousand timers of which three change is small', () => {
  const state = newState();
  for (let time = 0; time < 100_000; time++) timersAt(state, 'k').set('event', time);
  const base = blobOf(state.takeBase());
  for (const time of [5, 6]) timersAt(state, 'k').delete('event', time);
  timersAt(state, 'k').set('processing', 1);
  const delta = blobOf(state.takeDelta());
  expect(delta.length).toBeLessThan(150);
  const other = newState();
  other.load([base, delta]);
  expect(fired(other).length).toBe(99_999);
});

type Step =
  | { readonly do: 'set' | 'delete'; readonly key: string; readonly domain: TimeDomain; readonly time: number }
  | { readonly do: 'fire'; readonly time: number }
  | { readonly do: 'delta' | 'base' | 'restore' };

test('timers are what was set of them, in their order, through bases, deltas, restores and at any parallelism', () => {
  const key = fc.constantFrom('a', 'b', 'cc', 'dd', 'e');
  const time = fc.integer({ min: -5, max: 20 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      do: fc.constantFrom('set' as const, 'set' as const, 'delete' as const),
      key,
      domain: fc.constantFrom('event' as const, 'processing' as const),
      time,
    }),
    fc.record({ do: fc.constant('fire' as const), time }),
    fc.record({ do: fc.constantFrom('delta' as const, 'base' as const, 'restore' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, parallelism) => {
      let state = newState();
      let blobs: Buffer[] = [];
      const model = new Set<string>();
      const inOrder = () =>
        [...model].toSorted((one, other) => {
          const [[domain = '', at = '', id = ''], [otherDomain = '', otherAt = '', otherId = '']] = [one.split(' '), other.split(' ')];
          return (
            domain.localeCompare(otherDomain) || Number(at) - Number(otherAt) || groupOf(id) - groupOf(otherId) || (id < otherId ? -1 : 1)
          );
        });
      for (const step of steps) {
        if (step.do === 'set' || step.do === 'delete') {
          timersAt(state, step.key)[step.do](step.domain, step.time);
          model[step.do === 'set' ? 'add' : 'delete'](`${step.domain} ${step.time} ${step.key}`);
        } else if (step.do === 'fire') {
          const due = inOrder().filter((name) => Number(name.split(' ')[1]) <= step.time);
          expect(fired(state, step.time, step.time)).toEqual(due);
          for (const name of due) model.delete(name);
        } else {
          blobs = step.do === 'base' ? [blobOf(state.takeBase())] : [...blobs, blobOf(state.takeDelta())];
          if (step.do !== 'restore') continue;
          state = newState();
          state.load(blobs);
        }
      }
      blobs.push(blobOf(state.takeDelta()));
      const parts = Array.from({ length: parallelism }, (_, subtask) => newState(subtask, parallelism));
      for (const part of parts) part.load(blobs);
      expect(parts.flatMap((part) => fired(part)).toSorted()).toEqual(inOrder().toSorted());
    }),
    { numRuns: 300 },
  );
});

test('timers in a form that this build does not know are refused, and so is a delta of other timers', () => {
  const state = newState();
  timersAt(state, 'k').set('event', 1);
  const base = blobOf(state.takeBase());
  timersAt(state, 'k').set('event', 2);
  const delta = blobOf(state.takeDelta());
  expect(() => newState().load([delta])).toThrow(MalformedError);
  const column = newState().timers as TimerColumn;
  expect(() => column.apply(0, Buffer.from([9, 0, 0]), 0, 3)).toThrow(/form 9/);
  expect(() => newState().load([base, delta])).not.toThrow();
});

test('timers are of no use outside of a record', () => {
  const state = newState();
  state.keys.current = -1;
  expect(() => state.timers?.set('event', 1)).toThrow(OutsideRecordError);
});
