import { describe, expect, expectTypeOf, it, test } from 'vitest';
import {
  countWindows,
  cumulatingWindows,
  float64,
  int64,
  JobDefinitionError,
  json,
  type KeyedStream,
  type Output,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  utf8,
  type WindowResult,
  type WindowStream,
} from '../../../lib/api/index.ts';
import { checkCompatible, fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { type Value, type Windowing, windowedJob } from './windowed.ts';

type Keyed = KeyedStream<string, Value>;

const sums = { accumulator: int64, initial: 0, add: (sum: number) => sum + 1 };
const defining =
  (windowing: (keyed: Keyed) => unknown, hasEventTime = true) =>
  () =>
    windowedJob(windowing as Windowing, hasEventTime);
const inTen = tumblingWindows({ sizeMs: 10 });

describe('what cannot work is refused when the job is defined, with what is wrong', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a size of 0', () => tumblingWindows({ sizeMs: 0 }), /tumblingWindows: sizeMs is 0, and must be whole milliseconds, 1 or more/],
    ['a negative slide', () => slidingWindows({ sizeMs: 5, slideMs: -1 }), /slidingWindows: slideMs is -1/],
    ['half a millisecond', () => sessionWindows({ gapMs: 0.5 }), /sessionWindows: gapMs is 0.5, and must be whole milliseconds/],
    ['a size in text', () => tumblingWindows({ sizeMs: '10' as never }), /tumblingWindows: sizeMs is "10", and must be whole milliseconds/],
    ['no size', () => tumblingWindows({} as never), /sizeMs is undefined/],
    ['half a value', () => countWindows({ size: 1.5 }), /countWindows: size is 1.5, and must be a whole number, 1 or more/],
    ['windows that do not touch', () => slidingWindows({ sizeMs: 5, slideMs: 6 }), /slideMs is 6 and sizeMs 5: what lies between/],
    [
      'a step that does not fit',
      () => cumulatingWindows({ maxSizeMs: 10, stepMs: 3 }),
      /maxSizeMs is 10, and must be a multiple of stepMs, 3/,
    ],
    [
      'an offset of a step',
      () => slidingWindows({ sizeMs: 10, slideMs: 5, offsetMs: -5 }),
      /offsetMs is -5, and must be less than slideMs, 5/,
    ],
    ['half an offset', () => tumblingWindows({ sizeMs: 10, offsetMs: 0.5 }), /offsetMs is 0.5, and must be whole milliseconds/],
    [
      'negative lateness',
      defining((keyed) => keyed.window(inTen, { allowedLatenessMs: -1 }).aggregate('op', sums)),
      /allowedLatenessMs of window is -1/,
    ],
    [
      'early results all the time',
      defining((keyed) => keyed.window(inTen, { earlyEveryMs: 0 }).aggregate('op', sums)),
      /earlyEveryMs of window is 0/,
    ],
    [
      'another time',
      defining((keyed) => keyed.window(inTen, { time: 'no' as never }).aggregate('op', sums)),
      /may only be 'processing-time'/,
    ],
    [
      'lateness in processing time',
      defining((keyed) => keyed.window(inTen, { time: 'processing-time', allowedLatenessMs: 1 }).aggregate('op', sums)),
      /nothing is late in processing time/,
    ],
    [
      'options of time for count windows',
      defining((keyed) => (keyed as never as { window(...of: unknown[]): never }).window(countWindows({ size: 1 }), { earlyEveryMs: 1 })),
      /countWindows have nothing to do with time/,
    ],
    ['no windows', defining((keyed) => keyed.window({ sizeMs: 10 } as never)), /window is given no windows: tumblingWindows/],
    [
      'a source without event time',
      defining((keyed) => keyed.window(inTen).aggregate('op', sums), false),
      /op works by event time, and source src before it has none: give it one .*time: 'processing-time'/,
    ],
    [
      'sessions of an aggregate without merge',
      defining((keyed) => keyed.window(sessionWindows({ gapMs: 1 })).aggregate('op', sums)),
      /aggregate op: sessions grow together, .*give it a merge/,
    ],
    [
      'no initial value',
      defining((keyed) => keyed.window(inTen).aggregate('op', { ...sums, initial: undefined as never })),
      /initial is undefined/,
    ],
    [
      'no serde',
      defining((keyed) => keyed.window(inTen).aggregate('op', { ...sums, accumulator: json as never } as never)),
      /accumulator: .* no serde/,
    ],
    ['an async add', defining((keyed) => keyed.window(inTen).aggregate('op', { ...sums, add: (async () => 1) as never })), /add is async/],
    ['an async reduce', defining((keyed) => keyed.window(inTen).reduce('op', (async () => 1) as never, json())), /reduce op is async/],
    ['an async process', defining((keyed) => keyed.window(inTen).process('op', async () => {}, json())), /process op is async/],
    ['a uid that is taken', defining((keyed) => keyed.window(inTen).aggregate('src', sums)), /uid src is used twice/],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(message);
    expect(define).toThrow(JobDefinitionError);
  });

  it('and nothing else is', () => {
    expect(defining((keyed) => keyed.window(inTen, { time: 'processing-time' }).aggregate('op', sums), false)).not.toThrow();
    expect(defining((keyed) => keyed.window(countWindows({ size: 3 })).aggregate('op', sums), false)).not.toThrow();
    expect(defining((keyed) => keyed.window(sessionWindows({ gapMs: 1 })).process('op', () => {}, json()))).not.toThrow();
    expect(() => slidingWindows({ sizeMs: 7, slideMs: 5, offsetMs: -4 })).not.toThrow();
  });
});

describe('a job that goes on from the state of another', () => {
  const graphOf = (windowing: (keyed: Keyed) => unknown) => describeGraph(windowedJob(windowing as Windowing));
  const change = (from: (keyed: Keyed) => unknown, to: (keyed: Keyed) => unknown) =>
    checkCompatible(fingerprint(graphOf(from)), fingerprint(graphOf(to)));
  const merge = (one: number, other: number) => one + other;
  const sliding = slidingWindows({ sizeMs: 60, slideMs: 10 });

  it('may allow other lateness, give early results, and have other functions', () => {
    const before = (keyed: Keyed) => keyed.window(inTen).aggregate('op', sums);
    const after = (keyed: Keyed) =>
      keyed.window(inTen, { allowedLatenessMs: 5, earlyEveryMs: 3 }).aggregate('op', { ...sums, merge, result: (sum) => sum * 2 });
    expect(change(before, after)).toEqual({ outcome: 'same' });
  });

  it.each<[string, (keyed: Keyed) => unknown, (keyed: Keyed) => unknown, RegExp]>([
    [
      'of another size',
      (keyed) => keyed.window(inTen).aggregate('op', sums),
      (keyed) => keyed.window(tumblingWindows({ sizeMs: 20 })).aggregate('op', sums),
      /state of op: @windows had serde tumbling windows of 10 ms, pane of int64 and has now tumbling windows of 20 ms, pane of int64/,
    ],
    [
      'with another offset',
      (keyed) => keyed.window(inTen).aggregate('op', sums),
      (keyed) => keyed.window(tumblingWindows({ sizeMs: 10, offsetMs: 1 })).aggregate('op', sums),
      /has now tumbling windows of 10 ms, offset 1 ms/,
    ],
    [
      'of another time',
      (keyed) => keyed.window(inTen).aggregate('op', sums),
      (keyed) => keyed.window(inTen, { time: 'processing-time' }).aggregate('op', sums),
      /has now tumbling windows of 10 ms of processing time/,
    ],
    [
      'with another accumulator',
      (keyed) => keyed.window(inTen).aggregate('op', sums),
      (keyed) => keyed.window(inTen).aggregate('op', { ...sums, accumulator: float64 }),
      /pane of int64 and has now .*pane of float64/,
    ],
    [
      'that shares slices',
      (keyed) => keyed.window(sliding).aggregate('op', sums),
      (keyed) => keyed.window(sliding).aggregate('op', { ...sums, merge }),
      /every 10 ms, pane of int64 and has now sliding windows of 60 ms every 10 ms, in slices/,
    ],
  ])('may not have windows %s', (_, from, to, difference) => {
    expect(change(from, to)).toMatchObject({ outcome: 'incompatible', differences: [expect.stringMatching(difference)] });
  });

  it('is told by the graph what the windows are', () => {
    const { nodes } = graphOf((keyed) => keyed.window(sliding, { allowedLatenessMs: 4 }).aggregate('op', sums));
    expect(nodes.find(({ kind }) => kind === 'window')).toMatchObject({
      uid: 'op',
      key: 'utf8',
      windows: { kind: 'sliding', sizeMs: 60, slideMs: 10, offsetMs: 0 },
      time: 'event',
      allowedLatenessMs: 4,
    });
  });
});

test('the compiler knows accumulators, values and results', () => {
  const check = (keyed: Keyed): void => {
    const counts = keyed.window(inTen).aggregate('a', { accumulator: int64, initial: 0, add: (n) => n + 1 });
    expectTypeOf(counts).toEqualTypeOf<WindowStream<WindowResult<string, number>, Value>>();
    const texts = keyed.window(inTen).aggregate('b', {
      accumulator: json<{ readonly last: number }>(),
      initial: { last: 0 },
      add: (_, { v }) => ({ last: v }),
      result: ({ last }, { key, endMs }) => `${key.length} ${last} ${endMs}`,
    });
    expectTypeOf(texts).toEqualTypeOf<WindowStream<string, Value>>();
    expectTypeOf(keyed.window(inTen).reduce('c', (one) => one, json())).toEqualTypeOf<WindowStream<WindowResult<string, Value>, Value>>();
    const emitted = keyed
      .window(countWindows({ size: 2 }))
      .process('d', (values, _, out: Output<number>) => out.emit(values.length), json());
    expectTypeOf(emitted).toEqualTypeOf<WindowStream<number, Value>>();
    // @ts-expect-error: the accumulator is a number
    keyed.window(inTen).aggregate('e', { accumulator: int64, initial: '', add: (n) => n });
    // @ts-expect-error: not the serde of the values
    keyed.window(inTen).reduce('f', (one) => one, utf8);
    // @ts-expect-error: count windows have no time
    keyed.window(countWindows({ size: 2 }), { earlyEveryMs: 5 });
  };
  expect(check).toBeTypeOf('function');
});
