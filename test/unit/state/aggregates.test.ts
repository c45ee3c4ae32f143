import { describe, expect, it } from 'vitest';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { float64, json, utf8 } from '../../../lib/format/serdes.ts';
import type { AggregatingState } from '../../../lib/state/columns/aggregating.ts';
import type { StateDeclaration } from '../../../lib/state/columns/columns.ts';
import type { ReducingState } from '../../../lib/state/columns/reducing.ts';
import { OutsideRecordError } from '../../../lib/state/record-scope.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

interface Sum {
  sum: number;
  n: number;
}

const reducing = (serde: Serde<never>, reduce: (reduced: never, value: never) => unknown): StateDeclaration => ({
  kind: 'reducing',
  name: 'of',
  serdes: [serde as Serde<unknown>],
  reduce: reduce as (reduced: unknown, value: unknown) => unknown,
});

const aggregating = (
  initial: unknown,
  add: (accumulator: Sum, value: number) => unknown,
  result?: (accumulator: Sum) => unknown,
): StateDeclaration => ({
  kind: 'aggregating',
  name: 'of',
  serdes: [json<unknown>()],
  initial,
  add: add as (accumulator: unknown, value: unknown) => unknown,
  result: result as ((accumulator: unknown) => unknown) | undefined,
});

const newState = (state: StateDeclaration) =>
  new StateSet({ uid: 'op', states: [state], maxParallelism: 16, keyGroups: { first: 0, last: 15 } });

function at<Handle>(state: StateSet, key: string): Handle {
  const bytes = Buffer.from(key);
  state.keys.current = state.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
  return state.handles['of'] as Handle;
}

const inPlace = (accumulator: Sum, value: number) => {
  accumulator.sum += value;
  accumulator.n++;
  return accumulator;
};

describe('a reducing state', () => {
  it('takes the first value as it is, and reduces the others into it, for each key', () => {
    const state = newState(reducing(utf8 as Serde<never>, (reduced: string, value: string) => `${reduced}+${value}`));
    for (const value of ['a', 'b', 'c']) at<ReducingState<string>>(state, 'k').add(value);
    at<ReducingState<string>>(state, 'other').add('d');
    expect(at<ReducingState<string>>(state, 'k').get()).toBe('a+b+c');
    expect(at<ReducingState<string>>(state, 'other').get()).toBe('d');
    expect(at<ReducingState<string>>(state, 'third').get()).toBeUndefined();
    const copy = newState(reducing(utf8 as Serde<never>, () => 'new rule'));
    copy.load([Buffer.concat(state.takeDelta())]);
    expect([copy.size, at<ReducingState<string>>(copy, 'k').get()]).toEqual([2, 'a+b+c']);
  });

  it('saves what its function or its reader changed in place', () => {
    const state = newState(
      reducing(json<unknown>() as Serde<never>, (reduced: number[], value: number[]) => {
        reduced.push(...value);
        return reduced;
      }),
    );
    at<ReducingState<number[]>>(state, 'k').add([1]);
    const blobs = [Buffer.concat(state.takeDelta())];
    at<ReducingState<number[]>>(state, 'k').add([2]);
    blobs.push(Buffer.concat(state.takeDelta()));
    at<ReducingState<number[]>>(state, 'k').get()?.push(3);
    blobs.push(Buffer.concat(state.takeDelta()));
    const copy = newState(reducing(json<unknown>() as Serde<never>, () => []));
    copy.load(blobs);
    expect(at<ReducingState<number[]>>(copy, 'k').get()).toEqual([1, 2, 3]);
  });

  it('begins anew when it was cleared, and a key without state is gone', () => {
    const state = newState(reducing(float64 as Serde<never>, (reduced: number, value: number) => Math.max(reduced, value)));
    at<ReducingState<number>>(state, 'k').add(5);
    at<ReducingState<number>>(state, 'k').clear();
    at<ReducingState<number>>(state, 'k').add(3);
    expect(at<ReducingState<number>>(state, 'k').get()).toBe(3);
    at<ReducingState<number>>(state, 'k').clear();
    state.takeDelta();
    expect(state.size).toBe(0);
  });

  it('refuses undefined, from its caller and from its function, and every use outside of its record', () => {
    const state = newState(reducing(float64 as Serde<never>, () => undefined));
    const handle = at<ReducingState<number>>(state, 'k');
    expect(() => handle.add(undefined as never)).toThrow('undefined cannot be added to state of');
    handle.add(1);
    expect(() => handle.add(2)).toThrow('the function reduce of state of returned undefined');
    expect(handle.get()).toBe(1);
    state.takeBack();
    for (const use of [() => handle.get(), () => handle.add(1), () => handle.clear()]) expect(use).toThrow(OutsideRecordError);
  });
});

describe('an aggregating state', () => {
  const mean = aggregating({ sum: 0, n: 0 }, inPlace, ({ sum, n }) => sum / n);

  it('reads the result of what was added, of each key its own, also when the initial accumulator is changed in place', () => {
    const state = newState(mean);
    for (const value of [1, 2, 6]) at<AggregatingState<number, number>>(state, 'k').add(value);
    at<AggregatingState<number, number>>(state, 'other').add(10);
    expect(at<AggregatingState<number, number>>(state, 'k').get()).toBe(3);
    expect(at<AggregatingState<number, number>>(state, 'other').get()).toBe(10);
    expect(at<AggregatingState<number, number>>(state, 'third').get()).toBeUndefined();
    const blobs = [Buffer.concat(state.takeDelta())];
    at<AggregatingState<number, number>>(state, 'k').add(7);
    blobs.push(Buffer.concat(state.takeDelta()));
    const copy = newState(mean);
    copy.load(blobs);
    expect([copy.size, at<AggregatingState<number, number>>(copy, 'k').get()]).toEqual([2, 4]);
  });

  it('has an initial accumulator of its own for each key also when a function gives the same again', () => {
    const shared = { sum: 0, n: 0 };
    const state = newState(aggregating(() => shared, inPlace));
    for (const [key, value] of [
      ['k', 1],
      ['other', 2],
      ['k', 3],
    ] as const)
      at<AggregatingState<number, Sum>>(state, key).add(value);
    expect(at<AggregatingState<number, Sum>>(state, 'k').get()).toEqual({ sum: 4, n: 2 });
    expect(at<AggregatingState<number, Sum>>(state, 'other').get()).toEqual({ sum: 2, n: 1 });
    expect(shared).toEqual({ sum: 0, n: 0 });
  });

  it('has its initial accumulator from a function, and reads the accumulator itself when there is no result', () => {
    const state = newState(aggregating(() => ({ sum: 100, n: 0 }), inPlace));
    at<AggregatingState<number, Sum>>(state, 'k').add(1);
    at<AggregatingState<number, Sum>>(state, 'other').add(2);
    expect(at<AggregatingState<number, Sum>>(state, 'k').get()).toEqual({ sum: 101, n: 1 });
    at<AggregatingState<number, Sum>>(state, 'k').clear();
    expect(at<AggregatingState<number, Sum>>(state, 'k').get()).toBeUndefined();
  });

  it('refuses a function that returns nothing', () => {
    const state = newState(aggregating({ sum: 0, n: 0 }, () => {}));
    expect(() => at<AggregatingState<number, Sum>>(state, 'k').add(1)).toThrow('the function add of state of returned undefined');
  });
});
