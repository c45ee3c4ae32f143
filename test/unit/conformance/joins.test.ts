import { describe, expect, test } from 'vitest';
import {
  type DataStream,
  defineJob,
  json,
  type KeyedStream,
  type Serde,
  sessionWindows,
  slidingWindows,
  type TableChange,
  type TimeWindows,
  tumblingWindows,
  utf8,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';
import { joining, left, out, pair, passTo, type Row, right } from '../joins/joining.ts';

type Keyed = KeyedStream<string, Row>;
/** `l5` and `r7`: of which stream, and when. `r7x`: a deletion. */
type Step = string | { readonly watermark: number };

const isDeleted = ({ name }: Row) => name.endsWith('x');

/** What a job of two streams makes of rows, each of which is read by itself, with the time of each result; in the end time goes on. */
async function made(join: (one: Keyed, other: Keyed) => DataStream<string>, ...steps: readonly Step[]): Promise<string[]> {
  const test = testJob(joining(join));
  for (const step of steps) {
    if (typeof step !== 'string') {
      await passTo(test, step.watermark);
      continue;
    }
    test.push(step.startsWith('l') ? left : right, { key: 'a', at: Number.parseInt(step.slice(1), 10), name: step });
    await test.runUntilIdle();
  }
  await passTo(test, 10_000);
  return test.output(out).map(({ value, timestamp }) => `${String(value).slice(2)} at ${timestamp}`);
}

const near = (one: Keyed, other: Keyed) => one.intervalJoin('join', other, { lowerBoundMs: -2, upperBoundMs: 3, join: pair });
const asOf = (one: Keyed, other: Keyed) => one.asOfJoin('join', other, { type: 'left', isDeleted, join: pair });
const within = (windows: TimeWindows) => (one: Keyed, other: Keyed) => one.window(windows).join('join', other, { join: pair });
const shownChange = ({ value }: TableChange<string, string>) => `a ${value ?? 'tombstone'}`;
const deletions = { isLeftDeleted: isDeleted, isRightDeleted: isDeleted };
const tables = (one: Keyed, other: Keyed) =>
  one.joinTables('join', other, { ...deletions, join: (l, r) => `${l.name} ${r.name}` }).map(shownChange);
const leftTables = (one: Keyed, other: Keyed) =>
  one.joinTables('join', other, { ...deletions, type: 'left', join: (l, r) => `${l.name} ${r?.name ?? 'alone'}` }).map(shownChange);
const withoutTimes = (texts: readonly string[]) => texts.map((text) => text.replace(/ at .*/, ''));

describe('joins', () => {
  test('by interval include both bounds', async () => {
    expect(await made(near, 'l10', 'r7', 'r8', 'r13', 'r14')).toEqual(['l10 r8 at 10', 'l10 r13 at 13']);
  });

  test('by interval give a pair the later of its two times', async () => {
    expect(await made(near, 'r12', 'l10', 'r8')).toEqual(['l10 r8 at 10', 'l10 r12 at 12']);
  });

  test('by interval join nothing with a row that is late, on either side', async () => {
    expect(await made(near, 'l10', 'r10', { watermark: 12 }, 'l12', 'r12')).toEqual(['l10 r10 at 10']);
  });

  test('by interval join two rows of one time once, whichever was read first', async () => {
    const atOnce = (one: Keyed, other: Keyed) => one.intervalJoin('join', other, { lowerBoundMs: 0, upperBoundMs: 0, join: pair });
    expect(await made(atOnce, 'l5', 'r5', 'r6')).toEqual(['l5 r5 at 5']);
    expect(await made(atOnce, 'r5', 'l5', 'l4')).toEqual(['l5 r5 at 5']);
  });

  test('by interval give what is alone when time has come on both sides, also on one that brings no rows', async () => {
    const test = testJob(
      joining((one, other) => one.intervalJoin('join', other, { lowerBoundMs: 0, upperBoundMs: 3, type: 'left', join: pair })),
    );
    test.push(left, { key: 'a', at: 1, name: 'l1' }, { key: 'a', at: 9_000, name: 'l9000' });
    await test.runUntilIdle();
    expect(test.output(out), 'no time of the other side is known').toEqual([]);
    await test.advanceWatermark('read-right', 3);
    expect(test.output(out), 'a row may come that belongs to it').toEqual([]);
    await test.advanceWatermark('read-right', 4);
    expect(test.values(out)).toEqual(['a l1 alone']);
  });

  test('have null for a key like others where its serde writes it; where it does not, the row fails', async () => {
    const joiningBy = (key: Serde<string>) =>
      defineJob('nulls', (job) => {
        const byKey = (rows: DataStream<Row>) => rows.keyBy((row) => row.key, key);
        byKey(job.source('read-left', left))
          .intervalJoin('join', byKey(job.source('read-right', right)), { lowerBoundMs: 0, upperBoundMs: 0, join: pair })
          .sink('write', out);
      });
    const nobody = null as unknown as string;
    const test = testJob(joiningBy(json<string>()));
    test.push(left, { key: nobody, at: 1, name: 'l1' });
    test.push(right, { key: nobody, at: 1, name: 'r1' });
    await test.runUntilIdle();
    await passTo(test, 10_000);
    expect(test.values(out)).toEqual(['null l1 r1']);
    const failing = testJob(joiningBy(utf8));
    failing.push(left, { key: nobody, at: 1, name: 'l1' });
    await expect(failing.runUntilIdle()).rejects.toThrow(/keyBy .* behind read-left at topic left, partition 0, offset 0: .*got null/);
  });

  test('as of a time take a version of that very time', async () => {
    expect(await made(asOf, 'l5', 'r5', 'r6')).toEqual(['l5 r5 at 5']);
  });

  test('as of a time take the newest version that is not newer, whatever was read first', async () => {
    expect(await made(asOf, 'r9', 'l8', 'r3', 'r7')).toEqual(['l8 r7 at 8']);
  });

  test('as of a time take of several versions of one time the one that was written last', async () => {
    expect(await made(asOf, 'r5', 'r5b', 'l5')).toEqual(['l5 r5b at 5']);
  });

  test('as of a time take no version behind a deletion', async () => {
    expect(await made(asOf, 'r3', 'r5x', 'l4', 'l6')).toEqual(['l4 r3 at 4', 'l6 alone at 6']);
  });

  test('as of a time do not see a version that is late', async () => {
    expect(await made(asOf, 'r3', { watermark: 5 }, 'r4', 'l6')).toEqual(['l6 r3 at 6']);
  });

  test('of windows pair what is in one window, which holds its start and not its end', async () => {
    expect(await made(within(tumblingWindows({ sizeMs: 10 })), 'l0', 'r9', 'r10', 'l19')).toEqual(['l0 r9 at 9', 'l19 r10 at 19']);
  });

  test('of windows give a pair the last millisecond of its window', async () => {
    expect(await made(within(tumblingWindows({ sizeMs: 10 })), 'l3', 'r4')).toEqual(['l3 r4 at 9']);
  });

  test('of sliding windows pair two rows in each window that holds both', async () => {
    expect(await made(within(slidingWindows({ sizeMs: 20, slideMs: 10 })), 'l5', 'r12')).toEqual(['l5 r12 at 19']);
    expect(await made(within(slidingWindows({ sizeMs: 20, slideMs: 10 })), 'l12', 'r15')).toEqual(['l12 r15 at 19', 'l12 r15 at 29']);
  });

  test('of sessions pair rows that only those of the other stream bring together', async () => {
    expect(await made(within(sessionWindows({ gapMs: 5 })), 'l0', 'r4', 'l8', 'r20')).toEqual(['l0 r4 at 13', 'l8 r4 at 13']);
  });

  test('of windows give nothing for a row that is alone in its window; outer ones do', async () => {
    const outer = (one: Keyed, other: Keyed) =>
      one
        .window(tumblingWindows({ sizeMs: 10 }))
        .join('join', other, { type: 'full', join: (l, r) => `a ${l?.name ?? 'alone'} ${r?.name ?? 'alone'}` });
    expect(await made(within(tumblingWindows({ sizeMs: 10 })), 'l1', 'r11')).toEqual([]);
    expect(await made(outer, 'l1', 'r11')).toEqual(['l1 alone at 9', 'alone r11 at 19']);
  });
});

describe('tables', () => {
  test('that are joined give a result for each change of either, with its time', async () => {
    expect(await made(tables, 'l1', 'r2', 'l5', 'r4')).toEqual(['l1 r2 at 2', 'l5 r2 at 5', 'l5 r4 at 4']);
  });

  test('that are joined give a tombstone when one of them deletes the key, and none for what never was', async () => {
    expect(withoutTimes(await made(tables, 'r0x', 'l1', 'r1', 'r2x', 'r3x', 'l4x'))).toEqual(['l1 r1', 'tombstone']);
  });

  test('that are joined to the left go on without the right one, and end with the left one', async () => {
    expect(withoutTimes(await made(leftTables, 'l1', 'r1', 'r2x', 'l3x', 'r4'))).toEqual(['l1 alone', 'l1 r1', 'l1 alone', 'tombstone']);
  });

  test('give a row of a stream what they have of its key when it is read, and give nothing for their own changes', async () => {
    const lookup = (one: Keyed, other: Keyed) => one.tableJoin('join', other, { type: 'left', isDeleted, join: pair });
    expect(await made(lookup, 'l5', 'r9', 'l4', 'r9x', 'l3')).toEqual(['l5 alone at 5', 'l4 r9 at 4', 'l3 alone at 3']);
  });
});

describe('rankings', () => {
  const ranksOf = (top: (one: Keyed) => DataStream<string>) => (one: Keyed, other: Keyed) =>
    top(one).union(other.deduplicate('other').map(pairless));
  const pairless = ({ name }: Row) => `a ${name}`;

  test('of a key keep the first value of each, if it is asked for one', async () => {
    const once = (one: Keyed, other: Keyed) => one.deduplicate('once').union(other.deduplicate('other')).map(pairless);
    expect(withoutTimes(await made(once, 'l5', 'l1', 'r3', 'r2'))).toEqual(['l5', 'r3']);
  });

  test('give each rank that has another row, and those behind it move on', async () => {
    const running = ranksOf((one) => one.topN('top', { n: 2, by: ({ at }) => at }).map(({ rank, value }) => `a ${rank} ${value.name}`));
    expect(withoutTimes(await made(running, 'l5', 'l3', 'l4', 'l9', 'l1'))).toEqual(['1 l5', '2 l3', '2 l4', '1 l9', '2 l5']);
  });

  test('of a window hold n rows, and with ties all that equal the last', async () => {
    const top = (withTies: boolean) =>
      ranksOf((one) =>
        one
          .window(tumblingWindows({ sizeMs: 10 }))
          .topN('top', { n: 2, by: ({ at }) => Math.floor(at / 2), withTies })
          .map(({ value }) => `a ${value.map(({ name }) => name).join(' ')}`),
      );
    expect(await made(top(false), 'l1', 'l4', 'l5', 'l5b')).toEqual(['l4 l5 at 9']);
    expect(await made(top(true), 'l1', 'l4', 'l5', 'l5b')).toEqual(['l4 l5 l5b at 9']);
  });
});
