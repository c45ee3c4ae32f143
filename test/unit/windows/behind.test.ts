import { expect, it } from 'vitest';
import {
  defineJob,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  type Output,
  slidingWindows,
  tumblingWindows,
  utf8,
  type WindowOptions,
} from '../../../lib/api/index.ts';
import { type GivenEpoch, ran } from '../operators/running-job.ts';

interface Counted {
  readonly k: string;
  readonly n: number;
  readonly endMs: number;
}

/** The keys with the counts of each window of 10 ms, every 2 ms. */
const jobWith = (first: WindowOptions, second: WindowOptions) =>
  defineJob('behind', (job) => {
    job
      .source(
        'src',
        kafkaSource({
          topic: 'in',
          value: json<{ readonly k: string; readonly t: number }>(),
          eventTime: { timestamp: ({ t }) => t, maxOutOfOrdernessMs: 0 },
        }),
      )
      .keyBy(({ k }) => k, utf8)
      .window(slidingWindows({ sizeMs: 10, slideMs: 2 }), first)
      .aggregate('count', {
        accumulator: int64,
        initial: 0,
        add: (n) => n + 1,
        merge: (n, more) => n + more,
        result: (n, { key: k, endMs }): Counted => ({ k, n, endMs }),
      })
      .keyBy(({ endMs }) => endMs, int64)
      .window(tumblingWindows({ sizeMs: 2 }), second)
      .process(
        'gather',
        (all, { endMs, isUpdate }, out: Output<unknown[]>) => out.emit([endMs, ...all.map(({ k, n }) => `${k}${n}`).toSorted(), isUpdate]),
        json<Counted>(),
      )
      .sink('write-results', kafkaSink({ topic: 'out', value: json() }));
  });

const epoch = (...rows: readonly (readonly [string, number])[]): GivenEpoch => ({
  lines: [rows.map(([k, t]) => JSON.stringify({ k, t }))],
  processingMs: 1_000,
});

function given(epochs: readonly GivenEpoch[], first: WindowOptions = {}, second: WindowOptions = {}): unknown[] {
  const all = ran(jobWith(first, second), epochs, 1).written.map(({ value }) => JSON.parse(value ?? '') as [number, ...unknown[]]);
  return all.toSorted(([one], [other]) => one - other);
}

it('what windows give comes to windows behind them in the epoch in which it is due, however far time goes on', () => {
  const rows = [epoch(['a', 100], ['b', 100], ['a', 103]), epoch(['z', 1_000])];
  const expected = [
    [102, 'a1', 'b1', false],
    [104, 'a2', 'b1', false],
    [106, 'a2', 'b1', false],
    [108, 'a2', 'b1', false],
    [110, 'a2', 'b1', false],
    [112, 'a1', false],
  ];
  expect(given(rows)).toEqual(expected);
});

const UPDATED = [epoch(['a', 100]), epoch(['z', 102]), epoch(['a', 101], ['z', 1_000])];

it('an update of a window is late for one behind it', () => {
  expect(given(UPDATED, { allowedLatenessMs: 50 })[0]).toEqual([102, 'a1', false]);
  expect(given(UPDATED, { allowedLatenessMs: 50 })[1]).toEqual([104, 'a2', 'z1', false]);
});

it('an update of a window is one more value of a window behind it that allows as much lateness', () => {
  const all = given(UPDATED, { allowedLatenessMs: 50 }, { allowedLatenessMs: 50 });
  expect(all.slice(0, 2)).toEqual([
    [102, 'a1', false],
    [102, 'a1', 'a2', true],
  ]);
});
