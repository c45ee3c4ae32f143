import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  countWindows,
  defineJob,
  type KeyedStream,
  kafkaSink,
  type Output,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  utf8,
  type WindowContext,
  type WindowStream,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';
import { byKey, cuts, joining, left, out, outputOf, passTo, type Row, right, rows, shown } from './joining.ts';

type Type = 'inner' | 'left' | 'right' | 'full';
type Keyed = KeyedStream<string, Row>;

const textOf = (
  one: Row | undefined,
  other: Row | undefined,
  { key, startMs, endMs }: Pick<WindowContext<string>, 'key' | 'startMs' | 'endMs'>,
) => `${key} ${one?.name ?? 'nobody'} ${other?.name ?? 'alone'} [${startMs}, ${endMs})`;

function joined(windows: TimeWindows, type: Type, one: Keyed, other: Keyed) {
  const cut = one.window(windows);
  switch (type) {
    case 'inner':
      return cut.join('join', other, { join: textOf });
    case 'left':
      return cut.join('join', other, { type, join: textOf });
    case 'right':
      return cut.join('join', other, { type, join: textOf });
    case 'full':
      return cut.join('join', other, { type, join: textOf });
  }
}

/** The windows of a key's rows, each as `[start, end, timestamp of its results]`. */
type WindowsOf = (rows: readonly Row[]) => readonly (readonly [number, number, number])[];

const everyStart = Array.from({ length: 81 }, (_, index) => index - 40);

/** Whether rows lie in it is asked of all windows that there could be. */
const aligned =
  (sizeMs: number, slideMs: number, offsetMs: number): WindowsOf =>
  () =>
    everyStart.map((n) => [n * slideMs + offsetMs, n * slideMs + offsetMs + sizeMs, n * slideMs + offsetMs + sizeMs - 1] as const);

/** A session's end is the latest row and the gap, which belongs to it. */
const sessions =
  (gapMs: number): WindowsOf =>
  (all) => {
    const times = [...new Set(all.map(({ at }) => at))].sort((one, other) => one - other);
    const begins = times.filter((at, index) => at - (times[index - 1] ?? Number.NEGATIVE_INFINITY) > gapMs);
    return begins.map((begin, index) => {
      const last = times.filter((at) => at < (begins[index + 1] ?? Number.POSITIVE_INFINITY)).at(-1) as number;
      return [begin, last + gapMs, last + gapMs] as const;
    });
  };

const windowsOfAnyKind: fc.Arbitrary<readonly [TimeWindows, WindowsOf]> = fc.oneof(
  fc
    .record({ sizeMs: fc.integer({ min: 1, max: 8 }), offset: fc.integer({ min: -7, max: 7 }) })
    .map(
      ({ sizeMs, offset }) => [tumblingWindows({ sizeMs, offsetMs: offset % sizeMs }), aligned(sizeMs, sizeMs, offset % sizeMs)] as const,
    ),
  fc
    .record({ slideMs: fc.integer({ min: 1, max: 4 }), more: fc.integer({ min: 0, max: 6 }) })
    .map(({ slideMs, more }) => [slidingWindows({ sizeMs: slideMs + more, slideMs }), aligned(slideMs + more, slideMs, 0)] as const),
  fc.integer({ min: 1, max: 4 }).map((gapMs) => [sessionWindows({ gapMs }), sessions(gapMs)] as const),
);

/** What a join gives, in plain loops. */
function expected(type: Type, windowsOf: WindowsOf, lefts: readonly Row[], rights: readonly Row[]): string[] {
  return ['a', 'b', 'c'].flatMap((key) => {
    const [ones, others] = [lefts, rights].map((all) => all.filter((row) => row.key === key)) as [Row[], Row[]];
    return windowsOf([...ones, ...others]).flatMap(([startMs, endMs, timestamp]) => {
      const within = ({ at }: Row) => at >= startMs && at <= timestamp;
      const [left, right] = [ones.filter(within), others.filter(within)];
      const pairs: (readonly [Row | undefined, Row | undefined])[] = left.flatMap((one) => right.map((other) => [one, other] as const));
      if (right.length === 0 && (type === 'left' || type === 'full')) pairs.push(...left.map((one) => [one, undefined] as const));
      if (left.length === 0 && (type === 'right' || type === 'full')) pairs.push(...right.map((other) => [undefined, other] as const));
      return pairs.map(([one, other]) => `${textOf(one, other, { key, startMs, endMs })} at ${timestamp}`);
    });
  });
}

test('a window join gives each two rows of a key and window once, and of an outer one those that are alone', async () => {
  const types = fc.constantFrom<Type[]>('inner', 'left', 'right', 'full');
  await fc.assert(
    fc.asyncProperty(windowsOfAnyKind, types, rows('l'), rows('r'), cuts, async ([windows, windowsOf], type, lefts, rights, how) => {
      const job = joining((one, other) => joined(windows, type, one, other));
      expect(shown(await outputOf(job, lefts, rights, how))).toEqual(expected(type, windowsOf, lefts, rights).sort());
    }),
    { numRuns: 40 },
  );
});

test('coGroup is given all rows of a key and window, of each stream in order of time', async () => {
  await fc.assert(
    fc.asyncProperty(windowsOfAnyKind, rows('l'), rows('r'), cuts, async ([windows, windowsOf], lefts, rights, how) => {
      const names = (all: readonly Row[]) => all.map(({ at }) => at).join(' ');
      const job = joining((one, other) =>
        one.window(windows).coGroup('join', other, (ones, others, { key, startMs, count }, out: Output<string>) => {
          out.emit(`${key} ${startMs} ${count}: ${names(ones)} and ${names(others)}`);
        }),
      );
      const byTime = (all: readonly Row[]) => all.toSorted((one, other) => one.at - other.at);
      const should = ['a', 'b', 'c'].flatMap((key) => {
        const own = (all: readonly Row[]) => all.filter((row) => row.key === key);
        return windowsOf(own([...lefts, ...rights])).flatMap(([startMs, , timestamp]) => {
          const within = (all: readonly Row[]) => byTime(own(all)).filter(({ at }) => at >= startMs && at <= timestamp);
          const [ones, others] = [within(lefts), within(rights)];
          const count = ones.length + others.length;
          return count === 0 ? [] : [`${key} ${startMs} ${count}: ${names(ones)} and ${names(others)} at ${timestamp}`];
        });
      });
      expect(shown(await outputOf(job, lefts, rights, how))).toEqual(should.sort());
    }),
    { numRuns: 20 },
  );
});

const row = (at: number, name: string): Row => ({ key: 'a', at, name });

describe('a window join', () => {
  const lateJob = (allowedLatenessMs: number, type: 'inner' | 'left' = 'left') =>
    testJob(
      defineJob('late', (job) => {
        const [lefts, rights] = [byKey(job.source('read-left', left)), byKey(job.source('read-right', right))];
        const shown = (one: Row, other: Row | undefined, { isUpdate }: WindowContext<string>) =>
          `${one.name} ${other?.name ?? 'alone'}${isUpdate ? ' again' : ''}`;
        const cut = lefts.window(tumblingWindows({ sizeMs: 10 }), { allowedLatenessMs });
        const made = type === 'left' ? cut.join('join', rights, { type, join: shown }) : cut.join('join', rights, { join: shown });
        made.sink('write', out);
        made.late.map(({ name, at }) => `${name} ${at}`).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
      }),
    );

  test('gives all pairs of a window once more when one of its rows comes late, and is allowed to', async () => {
    const test = lateJob(20);
    test.push(left, row(1, 'l0'), row(2, 'l1'));
    await test.runUntilIdle();
    await passTo(test, 9);
    expect(test.values(out)).toEqual(['l0 alone', 'l1 alone']);
    test.push(right, row(3, 'r0'));
    await test.runUntilIdle();
    expect(test.values(out).slice(2)).toEqual(['l0 r0 again', 'l1 r0 again']);
    expect(test.values('write-late')).toEqual([]);
  });

  test('gives what is late for every window to `late` as it came, of both streams, and joins it with nothing', async () => {
    const test = lateJob(5);
    test.push(left, row(1, 'l0'));
    await test.runUntilIdle();
    await passTo(test, 14);
    test.push(left, row(9, 'l1'), row(10, 'l2'));
    test.push(right, row(0, 'r0'));
    await test.runUntilIdle();
    await passTo(test, 100);
    expect([...test.values('write-late')].sort()).toEqual(['l1 9', 'r0 0']);
    expect(test.values(out)).toEqual(['l0 alone', 'l2 alone']);
  });

  test('waits for nothing more of a key behind its last window', async () => {
    const test = lateJob(5);
    test.push(left, row(1, 'l0'));
    test.push(right, row(2, 'r0'));
    await test.runUntilIdle();
    await passTo(test, 13);
    expect(await test.timers('join', 'a')).toEqual({ event: [14], processing: [] });
    await passTo(test, 14);
    expect(await test.timers('join', 'a')).toEqual({ event: [], processing: [] });
  });

  test('has one session of both streams: rows of one bring those of the other together', async () => {
    const job = joining((one, other) =>
      one
        .window(sessionWindows({ gapMs: 10 }))
        .join('join', other, { join: (l, r, { startMs, endMs }) => `a ${l.name} ${r.name} ${startMs} ${endMs}` }),
    );
    const test = testJob(job);
    test.push(left, row(0, 'l0'), row(20, 'l1'));
    test.push(right, row(10, 'r0'));
    await test.runUntilIdle();
    await passTo(test, 100);
    expect(test.values(out)).toEqual(['a l0 r0 0 30', 'a l1 r0 0 30']);
  });

  test('of processing time pairs what was read in one window, and needs no event time', async () => {
    const job = joining((one, other) =>
      one
        .window(tumblingWindows({ sizeMs: 1_000 }), { time: 'processing-time' })
        .join('join', other, { join: (l, r) => `${l.name} ${r.name}` }),
    );
    const test = testJob(job);
    test.push(left, row(0, 'l0'));
    test.push(right, row(5_000, 'r0'));
    await test.runUntilIdle();
    await test.advanceProcessingTime({ byMs: 1_000 });
    test.push(right, row(0, 'r1'));
    await test.runUntilIdle();
    await test.advanceProcessingTime({ byMs: 1_000 });
    expect(test.values(out)).toEqual(['l0 r0']);
  });

  test('may change in place what it is given: no other result sees that', async () => {
    const job = joining((one, other) =>
      one.window(slidingWindows({ sizeMs: 20, slideMs: 10 })).join('join', other, {
        join: (l, r) => {
          (l as { name: string }).name += '!';
          (r as { name: string }).name += '?';
          return `${l.name} ${r.name}`;
        },
      }),
    );
    const test = testJob(job);
    test.push(left, row(0, 'l0'), row(1, 'l1'));
    test.push(right, row(0, 'r0'), row(2, 'r1'));
    await test.runUntilIdle();
    await passTo(test, 100);
    const once = ['l0! r0?', 'l0! r1?', 'l1! r0?', 'l1! r1?'];
    expect(test.values(out)).toEqual([...once, ...once]);
  });

  test('gives both types to the join, and to what came late', () => {
    defineJob('typed', (job) => {
      const [lefts, rights] = [byKey(job.source('read-left', left)), byKey(job.source('read-right', right))];
      const numbers = job
        .source('read-numbers', left)
        .map(({ at }) => at)
        .keyBy((at) => String(at), utf8);
      const cut = lefts.window(tumblingWindows({ sizeMs: 1 }));
      const inner = cut.join('inner', numbers, { join: (one, at) => one.at + at });
      expectTypeOf(inner).toEqualTypeOf<WindowStream<number, Row | number>>();
      cut.join('full', rights, {
        type: 'full',
        join: (one, other) => {
          expectTypeOf(one).toEqualTypeOf<Row | undefined>();
          expectTypeOf(other).toEqualTypeOf<Row | undefined>();
          return 1;
        },
      });
    });
  });

  const define = (build: (lefts: Keyed, rights: Keyed) => unknown) => () =>
    defineJob('odd', (job) => {
      build(byKey(job.source('read-left', left)), byKey(job.source('read-right', right)));
    });
  const cut = (one: Keyed) => one.window(tumblingWindows({ sizeMs: 1 }));

  test.each<[string, () => unknown, string]>([
    [
      'of count windows',
      define((one, other) => one.window(countWindows({ size: 2 })).join('join', other, { join: () => 0 })),
      'job odd: join join: countWindows hang on the order in which two streams are read: take windows of time',
    ],
    [
      'of a stream with itself',
      define((one) => cut(one).join('join', one, { join: () => 0 })),
      'job odd: join join joins a stream with itself: give one side a keyBy of its own',
    ],
    [
      'of an unknown type',
      define((one, other) => cut(one).join('join', other, { type: 'outer' as 'inner', join: () => 0 })),
      "job odd: join join: type is \"outer\", and may be 'inner', 'left', 'right' or 'full'",
    ],
    ['whose function is async', define((one, other) => cut(one).coGroup('join', other, async () => {})), 'job odd: coGroup join is async'],
  ])('%s is refused', (_, build, message) => {
    expect(build).toThrow(message);
  });
});
