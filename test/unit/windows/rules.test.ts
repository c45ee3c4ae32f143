import { describe, expect, it, test } from 'vitest';
import {
  cumulatingWindows,
  int64,
  json,
  type Output,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  type WindowContext,
  type WindowOptions,
} from '../../../lib/api/index.ts';
import { TimerError, UserCodeError } from '../../../lib/records/errors.ts';
import { epoch, at as steps, watermark, windows } from '../conformance/jobs.ts';
import { RunningWindows, runWindows, type Value, type WindowedEpoch, type Windowing, windowedJob } from './windowed.ts';

const sums = {
  accumulator: int64,
  initial: 0,
  add: (sum: number, { v }: Value) => sum + v,
  merge: (one: number, other: number) => one + other,
};

const counting =
  (windows: TimeWindows, options?: WindowOptions): Windowing =>
  (keyed) =>
    keyed.window(windows, options).aggregate('op', {
      ...sums,
      result: (sum, { key, startMs, endMs, count, isEarly, isUpdate }: WindowContext<string>) =>
        `${key} [${startMs}, ${endMs}) ${count} of ${sum}${isEarly ? ' early' : ''}${isUpdate ? ' update' : ''}`,
    });

/** Of key a, each worth 1. */
const at = (...times: readonly number[]): Value[] => times.map((t) => ({ k: 'a', t, v: 1 }));

/** By epoch what is given. */
const resultsOf = (windowing: Windowing, epochs: readonly WindowedEpoch[]) =>
  runWindows(windowedJob(windowing), epochs).map((given) => given.map(({ result }) => result));

describe('a window of time', () => {
  it('holds its start and not its end', () => {
    const [given] = resultsOf(counting(tumblingWindows({ sizeMs: 10 })), [{ rows: at(10, 19, 20, 9), afterMs: 100 }]);
    expect(given).toEqual(['a [0, 10) 1 of 1', 'a [10, 20) 2 of 2', 'a [20, 30) 1 of 1']);
  });

  it('lies at multiples of its size also before 1970', () => {
    const [given] = resultsOf(counting(tumblingWindows({ sizeMs: 10 })), [{ rows: at(-1, -10, -11, 0), afterMs: 100 }]);
    expect(given).toEqual(['a [-20, -10) 1 of 1', 'a [-10, 0) 2 of 2', 'a [0, 10) 1 of 1']);
  });

  it.each([
    [3, ['a [-7, 3) 1 of 1', 'a [3, 13) 2 of 2']],
    [-2, ['a [-2, 8) 2 of 2', 'a [8, 18) 1 of 1']],
  ])('lies %i ms beside that with an offset', (offsetMs, windows) => {
    const [given] = resultsOf(counting(tumblingWindows({ sizeMs: 10, offsetMs })), [{ rows: at(2, 3, 12), afterMs: 100 }]);
    expect(given).toEqual(windows);
  });

  it('gives its result when the watermark has come to its last millisecond, with that for a timestamp', () => {
    const epochs = [{ rows: at(5), afterMs: 18 }, { rows: at(15) }, { rows: [], afterMs: 18 }, { rows: [], afterMs: 19 }];
    const job = windowedJob(counting(tumblingWindows({ sizeMs: 20 })));
    expect(runWindows(job, epochs)).toEqual([[], [], [], [{ timestamp: 19, result: 'a [0, 20) 2 of 2' }]]);
  });

  it('gives nothing without values', () => {
    expect(resultsOf(counting(tumblingWindows({ sizeMs: 10 })), [{ rows: at(5, 45), afterMs: 100 }])[0]).toHaveLength(2);
  });

  it('gives key, start, end and accumulator when nothing else is said', () => {
    const plain: Windowing = (keyed) => keyed.window(tumblingWindows({ sizeMs: 10 })).aggregate('op', sums);
    expect(resultsOf(plain, [{ rows: at(5, 6), afterMs: 9 }])).toEqual([[{ key: 'a', startMs: 0, endMs: 10, value: 2 }]]);
    const reduced: Windowing = (keyed) =>
      keyed
        .window(slidingWindows({ sizeMs: 20, slideMs: 10 }))
        .reduce('op', (one, other) => ({ ...one, v: one.v + other.v }), json<Value>());
    expect(resultsOf(reduced, [{ rows: at(5, 12, 13), afterMs: 19 }])[0]).toEqual([
      { key: 'a', startMs: -10, endMs: 10, value: { k: 'a', t: 5, v: 1 } },
      { key: 'a', startMs: 0, endMs: 20, value: { k: 'a', t: 5, v: 3 } },
    ]);
  });

  it('has its result in the order of time among those of all keys', () => {
    const rows = [
      { k: 'b', t: 25, v: 1 },
      { k: 'a', t: 5, v: 1 },
      { k: 'c', t: 15, v: 1 },
      { k: 'a', t: 35, v: 1 },
    ];
    const [given] = runWindows(windowedJob(counting(tumblingWindows({ sizeMs: 10 }))), [{ rows, afterMs: 100 }]);
    expect(given?.map(({ timestamp }) => timestamp)).toEqual([9, 19, 29, 39]);
  });
});

describe('a value is late', () => {
  const inTen = tumblingWindows({ sizeMs: 10 });

  it('by the watermark of the epoch before, and not by that of its own', () => {
    expect(
      resultsOf(counting(inTen), [
        { rows: at(25, 5), afterMs: 24 },
        { rows: at(5, 19, 25), afterMs: 30 },
      ]),
    ).toEqual([['a [0, 10) 1 of 1'], ['a [20, 30) 2 of 2']]);
  });

  it('when its last window is over, at its last millisecond', () => {
    const epochs = (watermark: number) => [
      { rows: at(50), afterMs: watermark },
      { rows: at(5), afterMs: 20 },
    ];
    expect(resultsOf(counting(inTen), epochs(8))[1]).toEqual(['a [0, 10) 1 of 1']);
    expect(resultsOf(counting(inTen), epochs(9))[1]).toEqual([]);
  });

  it('of a sliding window only in those that are over', () => {
    const windows = slidingWindows({ sizeMs: 20, slideMs: 10 });
    expect(
      resultsOf(counting(windows), [
        { rows: at(5), afterMs: 10 },
        { rows: at(6), afterMs: 30 },
      ]),
    ).toEqual([['a [-10, 10) 1 of 1'], ['a [0, 20) 2 of 2']]);
  });
});

describe.each([
  ['tumbling', tumblingWindows({ sizeMs: 10 }), true],
  ['sliding, in slices', slidingWindows({ sizeMs: 10, slideMs: 5 }), true],
  ['sliding, each by itself', slidingWindows({ sizeMs: 10, slideMs: 5 }), false],
  ['sessions', sessionWindows({ gapMs: 10 }), true],
] as const)('late values of windows: %s', (_, windows, hasMerge) => {
  it('go aside as they came, with their own timestamps, and all others do not', () => {
    const windowing: Windowing = (keyed) =>
      keyed.window(windows).aggregate('op', {
        accumulator: int64,
        initial: 0,
        add: (sum) => sum + 1,
        ...(hasMerge && { merge: (one: number, other: number) => one + other }),
      }).late;
    const epochs = [{ rows: at(100, 5), afterMs: 99 }, { rows: at(6, 104, 7) }, { rows: [], afterMs: 1_000 }];
    expect(runWindows(windowedJob(windowing), epochs)).toEqual([
      [],
      [
        { timestamp: 6, result: { k: 'a', t: 6, v: 1 } },
        { timestamp: 7, result: { k: 'a', t: 7, v: 1 } },
      ],
      [],
    ]);
  });
});

test('no result is late for windows behind it', () => {
  for (const windows of [tumblingWindows({ sizeMs: 10 }), sessionWindows({ gapMs: 10 })]) {
    const job = windowedJob(counting(windows));
    const running = new RunningWindows(job);
    for (let watermark = 0; watermark < 40; watermark++)
      for (const { timestamp } of running.run({ rows: watermark === 0 ? at(3) : [], afterMs: watermark }))
        expect(timestamp).toBeGreaterThan(watermark - 1);
  }
});

describe('allowed lateness', () => {
  const lenient = counting(tumblingWindows({ sizeMs: 10 }), { allowedLatenessMs: 5 });

  it('gives a result once more, at the end of each epoch that brings late values, and once for all of them', () => {
    const epochs = [
      { rows: at(5), afterMs: 9 },
      { rows: at(6, 7), afterMs: 11 },
      { rows: [], afterMs: 12 },
      { rows: at(8), afterMs: 13 },
    ];
    expect(resultsOf(lenient, epochs)).toEqual([['a [0, 10) 1 of 1'], ['a [0, 10) 3 of 3 update'], [], ['a [0, 10) 4 of 4 update']]);
  });

  it('ends that long behind the last millisecond, and nothing is left of the window', () => {
    const running = new RunningWindows(windowedJob(lenient));
    running.run({ rows: at(5), afterMs: 13 });
    expect(running.keys).toBe(1);
    expect(running.run({ rows: at(6), afterMs: 14 })).toHaveLength(1);
    expect(running.keys).toBe(0);
    expect(running.run({ rows: at(7), afterMs: 20 })).toEqual([]);
  });

  it('gives a first result, as an update, of a window that had no values in time', () => {
    expect(
      resultsOf(lenient, [
        { rows: at(50), afterMs: 12 },
        { rows: at(5), afterMs: 13 },
      ])[1],
    ).toEqual(['a [0, 10) 1 of 1 update']);
  });

  it.each([true, false])('gives each sliding window that it reaches once more, and no other (merge: %s)', (hasMerge) => {
    const windowing: Windowing = (keyed) =>
      keyed.window(slidingWindows({ sizeMs: 30, slideMs: 10 }), { allowedLatenessMs: 10 }).aggregate('op', {
        ...(hasMerge ? sums : { ...sums, merge: undefined as never }),
        result: (sum, { endMs, isUpdate }) => `${endMs}: ${sum}${isUpdate ? ' update' : ''}`,
      });
    const epochs = [
      { rows: at(5, 15), afterMs: 29 },
      { rows: at(6), afterMs: 29 },
      { rows: [], afterMs: 100 },
    ];
    expect(resultsOf(windowing, epochs)).toEqual([['10: 1', '20: 2', '30: 2'], ['30: 3 update'], ['40: 1']]);
  });
});

describe('a session', () => {
  const sessions = counting(sessionWindows({ gapMs: 10 }));

  it('takes in a value that is exactly the gap away, on either side, and no further one', () => {
    const [given] = resultsOf(sessions, [{ rows: at(20, 30, 10, 41, -1), afterMs: 100 }]);
    expect(given).toEqual(['a [-1, 9) 1 of 1', 'a [10, 40) 3 of 3', 'a [41, 51) 1 of 1']);
  });

  it('becomes one with another when a value lies between them', () => {
    expect(
      resultsOf(sessions, [
        { rows: at(0, 20), afterMs: 0 },
        { rows: at(10), afterMs: 50 },
      ]),
    ).toEqual([[], ['a [0, 30) 3 of 3']]);
  });

  it('is over when the watermark promises that no value can come exactly the gap behind its last', () => {
    const epochs = [
      { rows: at(0), afterMs: 9 },
      { rows: at(10), afterMs: 19 },
      { rows: [], afterMs: 20 },
    ];
    const job = windowedJob(sessions);
    expect(runWindows(job, epochs)).toEqual([[], [], [{ timestamp: 20, result: 'a [0, 20) 2 of 2' }]]);
  });

  it('takes in a value that is late by itself, if it was not over', () => {
    expect(
      resultsOf(sessions, [
        { rows: at(0, 9), afterMs: 18 },
        { rows: at(1), afterMs: 19 },
      ]),
    ).toEqual([[], ['a [0, 19) 3 of 3']]);
    expect(
      resultsOf(sessions, [
        { rows: at(0, 9), afterMs: 19 },
        { rows: at(1), afterMs: 30 },
      ]),
    ).toEqual([['a [0, 19) 2 of 2'], []]);
  });

  it('that was over is open again when lateness lets it grow: what is given of it then is an update', () => {
    const lenient = counting(sessionWindows({ gapMs: 10 }), { allowedLatenessMs: 20 });
    const epochs = [
      { rows: at(0), afterMs: 12 },
      { rows: at(8), afterMs: 17 },
      { rows: [], afterMs: 18 },
      { rows: at(3), afterMs: 19 },
    ];
    expect(resultsOf(lenient, epochs)).toEqual([['a [0, 10) 1 of 1'], [], ['a [0, 18) 2 of 2 update'], ['a [0, 18) 3 of 3 update']]);
  });
});

test.each<[string, TimeWindows, WindowOptions, string]>([
  ['allowed lateness', tumblingWindows({ sizeMs: 10 }), { allowedLatenessMs: Number.MAX_SAFE_INTEGER }, '[0, 10) 2 update'],
  ['a gap', sessionWindows({ gapMs: Number.MAX_SAFE_INTEGER }), { earlyEveryMs: 10 }, ''],
])('%s that ends behind all times never ends, and fails nothing', async (_, given, options, last) => {
  const job = windows(given, options);
  await epoch(job, ...steps(5));
  await watermark(job, 1_000_000);
  await epoch(job, ...steps(6));
  expect(job.values('write-late')).toEqual([]);
  if (last !== '') expect(job.values('write').at(-1)).toBe(last);
});

test('cumulating windows grow by a step up to their size, then begin anew', () => {
  const windows = counting(cumulatingWindows({ maxSizeMs: 30, stepMs: 10 }));
  expect(resultsOf(windows, [{ rows: at(5, 25, 31), afterMs: 100 }])[0]).toEqual([
    'a [0, 10) 1 of 1',
    'a [0, 20) 1 of 1',
    'a [0, 30) 2 of 2',
    'a [30, 40) 1 of 1',
    'a [30, 50) 1 of 1',
    'a [30, 60) 1 of 1',
  ]);
});

test('windows of processing time are of that of the epoch, whatever the timestamps, and are over when it is behind them', () => {
  const windowing = counting(tumblingWindows({ sizeMs: 10 }), { time: 'processing-time' });
  const epochs = [
    { rows: at(500), processingMs: 3 },
    { rows: at(-500), processingMs: 9 },
    { rows: at(0), processingMs: 9 },
    { rows: [], processingMs: 10 },
  ];
  expect(runWindows(windowedJob(windowing, false), epochs)).toEqual([[], [], [], [{ timestamp: 9, result: 'a [0, 10) 3 of 3' }]]);
});

describe('early results', () => {
  const early = counting(tumblingWindows({ sizeMs: 100 }), { earlyEveryMs: 10 });

  it('come at multiples of processing time, of windows that have changed, and not any more when these are over', () => {
    const epochs = [
      { rows: at(5), processingMs: 12 },
      { rows: at(105), processingMs: 19 },
      { rows: [], processingMs: 20 },
      { rows: [], processingMs: 35 },
      { rows: at(7), processingMs: 36 },
      { rows: [], processingMs: 40 },
      { rows: at(8), processingMs: 41, afterMs: 99 },
      { rows: [], processingMs: 60 },
    ];
    expect(resultsOf(early, epochs)).toEqual([
      [],
      [],
      ['a [0, 100) 1 of 1 early', 'a [100, 200) 1 of 1 early'],
      [],
      [],
      ['a [0, 100) 2 of 2 early'],
      ['a [0, 100) 3 of 3'],
      [],
    ]);
  });
});

describe('process is given all values of a window', () => {
  const listing =
    (windows: TimeWindows, options?: WindowOptions): Windowing =>
    (keyed) =>
      keyed
        .window(windows, options)
        .process(
          'op',
          (values, { endMs }, out: Output<string>) => out.emit(`${endMs}: ${values.map(({ t, v }) => `${t}/${v}`).join(' ')}`),
          json<Value>(),
        );

  it('in order of timestamp, then of arrival', () => {
    const rows = [
      { k: 'a', t: 7, v: 1 },
      { k: 'a', t: -3, v: 2 },
      { k: 'a', t: 7, v: 0 },
      { k: 'a', t: 0, v: 3 },
    ];
    expect(resultsOf(listing(slidingWindows({ sizeMs: 20, slideMs: 10 })), [{ rows, afterMs: 9 }])[0]).toEqual([
      '0: -3/2',
      '10: -3/2 0/3 7/1 7/0',
    ]);
    expect(resultsOf(listing(sessionWindows({ gapMs: 10 })), [{ rows, afterMs: 99 }])[0]).toEqual(['17: -3/2 0/3 7/1 7/0']);
  });

  it('that another window of the same values sees unchanged', () => {
    const changing: Windowing = (keyed) =>
      keyed.window(slidingWindows({ sizeMs: 20, slideMs: 10 })).process(
        'op',
        (values, _, out: Output<unknown>) => {
          for (const value of values) (value as { v: number }).v++;
          out.emit(values);
        },
        json<Value>(),
      );
    expect(resultsOf(changing, [{ rows: at(5), afterMs: 19 }])[0]).toEqual([[{ k: 'a', t: 5, v: 2 }], [{ k: 'a', t: 5, v: 2 }]]);
  });

  it('each kept once, however many windows it is in, and gone with the last of them', () => {
    const bytes = (slideMs: number) => {
      const running = new RunningWindows(windowedJob(listing(slidingWindows({ sizeMs: 60, slideMs }))));
      running.run({ rows: at(...Array.from({ length: 100 }, (_, index) => index % 10)), afterMs: -100 });
      const { bytes: kept } = running;
      running.run({ rows: [], afterMs: 1_000 });
      expect(running.keys).toBe(0);
      return kept;
    };
    expect(bytes(10)).toBeLessThan(bytes(60) * 1.1);
  });
});

test('an attempt that failed has left nothing in a window, and a restore with other subtasks nothing out', () => {
  const windowing = counting(slidingWindows({ sizeMs: 30, slideMs: 10 }));
  const rows = ['a', 'b', 'c', 'd', 'e'].flatMap((k) => [4, 14, 24].map((t) => ({ k, t, v: 1 })));
  const straight = new RunningWindows(windowedJob(windowing));
  const disturbed = new RunningWindows(windowedJob(windowing));
  const plain: WindowedEpoch[] = [
    { rows, afterMs: 10 },
    { rows, afterMs: 22 },
    { rows: [], afterMs: 99 },
  ];
  const inOrder = (given: readonly { readonly result: unknown }[]) => given.map(({ result }) => String(result)).toSorted();
  const [first, second, third] = plain.map((epoch) => straight.run(epoch));
  disturbed.fail({ rows: at(4, 5), afterMs: 50 });
  expect(inOrder(disturbed.run(plain[0] as WindowedEpoch))).toEqual(inOrder(first ?? []));
  disturbed.fail({ rows, afterMs: 99 });
  expect(inOrder(disturbed.run({ ...(plain[1] as WindowedEpoch), parallelism: 3 }))).toEqual(inOrder(second ?? []));
  disturbed.fail({ rows, afterMs: 99 });
  expect(inOrder(disturbed.run({ ...(plain[2] as WindowedEpoch), parallelism: 2 }))).toEqual(inOrder(third ?? []));
  expect(disturbed.keys).toBe(0);
});

describe('what a function of the author does wrong', () => {
  const failing = (aggregate: object, epoch: WindowedEpoch = { rows: at(5, 6), afterMs: 99 }) => {
    const windowing: Windowing = (keyed) => keyed.window(sessionWindows({ gapMs: 10 })).aggregate('op', { ...sums, ...aggregate } as never);
    return () => resultsOf(windowing, [epoch]);
  };
  const no = (): never => {
    throw new Error('no');
  };

  it('is of the record in add, and in a merge that it brings about', () => {
    expect(failing({ add: no })).toThrow(UserCodeError);
    expect(failing({ add: () => undefined })).toThrow(/op: .*add of a window returned undefined/);
    expect(failing({ add: () => Promise.resolve(1) })).toThrow(/op: .*returned a promise/);
    expect(failing({ merge: no }, { rows: at(0, 20, 10), afterMs: 99 })).toThrow(UserCodeError);
  });

  it('is of the timer behind a window', () => {
    expect(failing({ result: no })).toThrow(TimerError);
    expect(failing({ result: no })).toThrow(/op, timer of event time 16 of key a: Error: no/);
    expect(failing({ result: () => Promise.resolve(1) })).toThrow(TimerError);
  });
});
