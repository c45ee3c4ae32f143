import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countWindows,
  cumulatingWindows,
  json,
  type KeyedStream,
  type Output,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  type WindowContext,
  type WindowOptions,
} from '../../../lib/api/index.ts';
import type { WindowShape } from '../../../lib/graph/windows.ts';
import { type NaiveResult, NaiveWindows } from '../../support/naive-windows.ts';
import { byKey, type Given, RunningWindows, type Value, type WindowedEpoch, type Windowing, windowedJob } from './windowed.ts';

/** What every operator of this test gives of a window, in one form: values as `time/value`. */
interface Shown extends Omit<WindowContext<string>, 'key'> {
  readonly key: string;
  readonly values: readonly string[];
}

const shown = ({ t, v }: Value) => `${t}/${v}`;
/** What a result is given to know; that of a process has its side outputs besides. */
const asResult = (
  values: readonly string[],
  { sideOutputs: _, ...context }: WindowContext<string> & { readonly sideOutputs?: unknown },
): Shown => ({ ...context, values: values.toSorted() });

/** The same windows, made in each way there is. Their results are the same. */
const ways: Readonly<Record<string, (windows: TimeWindows, options: WindowOptions) => Windowing>> = {
  'an aggregate with merge': (windows, options) => (keyed) =>
    keyed.window(windows, options).aggregate('op', {
      accumulator: json<string[]>(),
      initial: [],
      add: (values, value) => [...values, shown(value)],
      merge: (values, more) => [...values, ...more],
      result: asResult,
    }),
  'an aggregate with merge that changes in place': (windows, options) => (keyed) =>
    keyed.window(windows, options).aggregate('op', {
      accumulator: json<{ all: string[] }>(),
      initial: () => ({ all: [] }),
      add(values, value) {
        values.all.push(shown(value));
        return values;
      },
      merge(values, more) {
        values.all.push(...more.all);
        return values;
      },
      result: ({ all }, context) => asResult(all.sort(), context),
    }),
  'an aggregate without merge': (windows, options) => (keyed) =>
    keyed.window(windows, options).aggregate('op', {
      accumulator: json<string[]>(),
      initial: [],
      add(values, value) {
        values.push(shown(value));
        return values;
      },
      result: asResult,
    }),
  process: (windows, options) => (keyed) =>
    keyed
      .window(windows, options)
      .process('op', (values, context, out: Output<Shown>) => out.emit(asResult(values.map(shown), context)), json()),
};

function expected(results: readonly NaiveResult[]): Given[] {
  return results.map(({ key, startMs, endMs, rows, isEarly, isUpdate, timestamp }) => {
    const values = rows.map(({ value }) => shown(value as Value)).toSorted();
    return { timestamp, result: { key, startMs, endMs, count: rows.length, isEarly, isUpdate, values } };
  });
}

interface Case {
  readonly shape: WindowShape;
  readonly options: WindowOptions;
  readonly epochs: readonly WindowedEpoch[];
}

const windowsOf = (shape: Exclude<WindowShape, { kind: 'count' }>): TimeWindows => {
  switch (shape.kind) {
    case 'tumbling':
      return tumblingWindows(shape);
    case 'sliding':
      return slidingWindows(shape);
    case 'cumulating':
      return cumulatingWindows(shape);
    case 'session':
      return sessionWindows(shape);
  }
};

const shapes: fc.Arbitrary<Exclude<WindowShape, { kind: 'count' }>> = fc.oneof(
  fc.record({ sizeMs: fc.integer({ min: 1, max: 12 }), offset: fc.integer({ min: -11, max: 11 }) }).map(({ sizeMs, offset }) => {
    return { kind: 'tumbling', sizeMs, offsetMs: offset % sizeMs } as const;
  }),
  fc
    .record({ slideMs: fc.integer({ min: 1, max: 6 }), more: fc.integer({ min: 0, max: 10 }), offset: fc.integer({ min: -5, max: 5 }) })
    .map(({ slideMs, more, offset }) => ({ kind: 'sliding', sizeMs: slideMs + more, slideMs, offsetMs: offset % slideMs }) as const),
  fc
    .record({ stepMs: fc.integer({ min: 1, max: 5 }), steps: fc.integer({ min: 1, max: 4 }), offset: fc.integer({ min: -19, max: 19 }) })
    .map(
      ({ stepMs, steps, offset }) =>
        ({ kind: 'cumulating', maxSizeMs: stepMs * steps, stepMs, offsetMs: offset % (stepMs * steps) }) as const,
    ),
  fc.record({ gapMs: fc.integer({ min: 1, max: 6 }) }).map(({ gapMs }) => ({ kind: 'session', gapMs }) as const),
);

const values = fc.array(fc.record({ k: fc.constantFrom('a', 'b', 'c'), t: fc.integer({ min: -25, max: 25 }), v: fc.nat(9) }), {
  maxLength: 6,
});

/** Watermarks and processing time only go forward, by steps, and values are around the watermark. */
const epochs = fc
  .array(
    fc.record({
      rows: values,
      watermarkStep: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })),
      processingStep: fc.integer({ min: 0, max: 9 }),
      parallelism: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 4 }),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((drawn): WindowedEpoch[] => {
    let afterMs = -30;
    let processingMs = 0;
    return drawn.map(({ rows, watermarkStep, processingStep, parallelism }, index) => {
      afterMs += watermarkStep;
      processingMs += processingStep;
      const isFirst = index === 0;
      return { rows, afterMs: isFirst ? undefined : afterMs, processingMs, parallelism };
    });
  });

const options: fc.Arbitrary<WindowOptions> = fc.oneof(
  fc.record({ allowedLatenessMs: fc.integer({ min: 0, max: 9 }), earlyEveryMs: fc.integer({ min: 1, max: 8 }) }, { requiredKeys: [] }),
  fc.record({ time: fc.constant('processing-time' as const), earlyEveryMs: fc.integer({ min: 1, max: 8 }) }, { requiredKeys: ['time'] }),
);

/** Behind the drawn epochs time goes on until nothing is open. */
const andTheEnd = (drawn: readonly WindowedEpoch[]): WindowedEpoch[] => [...drawn, { rows: [], afterMs: 1_000, processingMs: 100_000 }];

function checkWindows({ shape, options: { allowedLatenessMs = 0, earlyEveryMs, time }, epochs: drawn }: Case, windowing: Windowing): void {
  const naive = new NaiveWindows(shape, {
    allowedLatenessMs,
    earlyEveryMs,
    time: shape.kind === 'count' ? undefined : time === undefined ? 'event' : 'processing',
  });
  const running = new RunningWindows(windowedJob(windowing));
  let beforeMs: number | undefined;
  let subtasks = 1;
  for (const epoch of andTheEnd(drawn)) {
    subtasks = epoch.parallelism ?? subtasks;
    const rows = epoch.rows.map((value) => ({ key: value.k, timestamp: value.t, value }));
    const { results } = naive.run(rows, { beforeMs, afterMs: epoch.afterMs ?? beforeMs, processingMs: epoch.processingMs ?? 0 }, byKey);
    const given = running.run(epoch);
    const should = expected(results);
    // Several subtasks have one order each.
    if (subtasks > 1) expect(sorted(given)).toEqual(sorted(should));
    else expect(given).toEqual(should);
    if (earlyEveryMs === undefined) expect(running.keys).toBe(naive.openKeys.size);
    else expect(running.keys).toBeGreaterThanOrEqual(naive.openKeys.size);
    beforeMs = epoch.afterMs ?? beforeMs;
  }
  if (shape.kind !== 'count') expect(running.keys).toBe(0);
}

const sorted = (given: readonly Given[]) => given.map((each) => JSON.stringify(each)).toSorted();

describe.each(Object.entries(ways))('%s', (name, way) => {
  it('gives what a list of values for each window would, and keeps no key that waits for nothing', () => {
    fc.assert(
      fc.property(shapes, options, epochs, (shape, drawnOptions, drawn) => {
        if (shape.kind === 'session' && name.endsWith('without merge')) return;
        checkWindows({ shape, options: drawnOptions, epochs: drawn }, way(windowsOf(shape), drawnOptions));
      }),
      { numRuns: 150 },
    );
  });
});

describe('count windows', () => {
  const counting: Readonly<Record<string, (size: number) => Windowing>> = {
    'of an aggregate': (size) => (keyed: KeyedStream<string, Value>) =>
      keyed
        .window(countWindows({ size }))
        .aggregate('op', { accumulator: json<string[]>(), initial: [], add: (all, value) => [...all, shown(value)], result: asResult }),
    'of process': (size) => (keyed: KeyedStream<string, Value>) =>
      keyed
        .window(countWindows({ size }))
        .process('op', (all, context, out: Output<Shown>) => out.emit(asResult(all.map(shown), context)), json()),
  };
  it.each(Object.entries(counting))('%s give a result at once at each so many values of a key', (_, way) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), epochs, (size, drawn) => {
        checkWindows({ shape: { kind: 'count', size }, options: {}, epochs: drawn }, way(size));
      }),
      { numRuns: 100 },
    );
  });
});
