import { describe, expect, it } from 'vitest';
import {
  afterDecision,
  afterUserFailure,
  boundedRanges,
  FREE,
  type InputPart,
  type Isolation,
  isBounded,
  isSearching,
  offsetsIn,
} from '../../../lib/epoch/failure/isolate.ts';
import type { SourceRange } from '../../../lib/protocol/requests.ts';

const part = (partition: number, from: number, bound: number): InputPart => ({ stage: 'read', topic: 'lines', partition, from, bound });

/** A topic whose partitions end at `ends`, and a job that fails at some of its records; runs epochs until all is decided. */
class Run {
  isolation: Isolation = FREE;
  readonly positions: number[];
  readonly ends: readonly number[];
  /** Size and fate of each attempt. */
  readonly told: string[] = [];
  /** Offsets, as partition:offset, of records that were alone `attempts` times. */
  readonly poison: string[] = [];

  constructor(ends: readonly number[]) {
    this.ends = ends;
    this.positions = ends.map(() => 0);
  }

  until(fails: (record: string) => boolean, attempts = 2, most = 100_000): void {
    for (let attempt = 0; this.positions.some((at, partition) => at < (this.ends[partition] ?? 0)); attempt++) {
      if (attempt > most) throw new Error(`not done after ${most} attempts`);
      const read = this.plan(attempt);
      const records = read.flatMap(({ partition, from, bound }) =>
        Array.from({ length: bound - from }, (_, index) => `${partition}:${from + index}`),
      );
      expect(records.length).toBeGreaterThan(0);
      const failed = records.some((record) => !this.poison.includes(record) && fails(record));
      this.told.push(`${records.length}${failed ? '-' : '+'}`);
      if (failed) {
        this.isolation = afterUserFailure(this.isolation, read);
        if (this.isolation.alone >= attempts) this.poison.push(records[0] ?? '');
      } else {
        for (const { partition, bound } of read) this.positions[partition] = bound;
        this.isolation = afterDecision(this.isolation, { read: { lines: this.positions } }, records.length);
      }
    }
  }

  plan(turn: number): InputPart[] {
    const planned = {
      read: [
        this.positions.flatMap((from, partition): SourceRange[] =>
          from < (this.ends[partition] ?? 0) ? [{ topic: 'lines', partition, from, bound: this.ends[partition] ?? 0 }] : [],
        ),
      ],
    };
    return Object.values(boundedRanges(this.isolation, planned, turn))
      .flat(2)
      .map((range) => ({ stage: 'read', ...range }));
  }
}

describe('a record that always fails', () => {
  it('is alone after the epoch was tried again as it is and then by halves', () => {
    const run = new Run([16]);
    run.until((record) => record === '0:0', 3);
    expect(run.told.slice(0, 8)).toEqual(['16-', '16-', '8-', '4-', '2-', '1-', '1-', '1-']);
    expect(run.poison).toEqual(['0:0']);
  });

  it('leaves epochs that grow until they are as large as the one that failed', () => {
    const run = new Run([64]);
    run.until((record) => record === '0:0', 1);
    expect(run.told.slice(run.told.indexOf('1-') + 1)).toEqual(['1+', '4+', '16+', '43+']);
    expect(isBounded(run.isolation)).toBe(false);
  });

  it.each([0, 1, 499, 731, 998, 999])('at %i of a thousand is found in a few dozen attempts', (offset) => {
    const run = new Run([1000]);
    run.until((record) => record === `0:${offset}`, 3);
    expect(run.poison).toEqual([`0:${offset}`]);
    expect(run.told.length).toBeLessThan(40);
  });

  it('in one of many partitions is found in as few, whatever the others hold', () => {
    const run = new Run([20_000, 20_000, 20_000, 20_000, 1]);
    run.until((record) => record === '4:0', 3);
    expect(run.poison).toEqual(['4:0']);
    expect(run.told.length).toBeLessThan(60);
  });

  it('does not hide another one', () => {
    const run = new Run([100, 100]);
    run.until((record) => ['0:7', '1:8', '1:9', '0:99'].includes(record), 2);
    expect(run.poison.toSorted()).toEqual(['0:7', '0:99', '1:8', '1:9']);
  });
});

describe('failures at random', () => {
  it.each([0.01, 0.2, 0.5])('of each record with the chance %d are got through', (chance) => {
    let state = 7;
    const next = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const run = new Run([100, 100, 100]);
    run.until(() => next() < chance, Number.POSITIVE_INFINITY);
    expect(run.poison).toEqual([]);
    expect(run.told.length).toBeLessThan(300 * 12);
  });

  it('of one attempt in three, two of them in a row, cost few attempts and no search down to one record', () => {
    const run = new Run([1000, 1000, 1000]);
    run.until(() => [0, 1, 5].includes(run.told.length % 9), Number.POSITIVE_INFINITY);
    expect(run.told).toEqual(['3000-', '3000-', '1500+', '1500+']);
  });

  it('that come once leave the epoch its size', () => {
    const failed = afterUserFailure(FREE, [part(0, 0, 100)]);
    expect(isBounded(failed)).toBe(false);
    expect(afterDecision(failed, { read: { lines: [100] } }, 100)).toEqual(FREE);
  });
});

describe('what is alone', () => {
  const alone = afterUserFailure(FREE, [part(1, 5, 6)]);

  it('counts its failures in a row', () => {
    expect(alone.alone).toBe(1);
    expect(afterUserFailure(alone, [part(1, 5, 6)]).alone).toBe(2);
  });

  it('counts from one when it is another record', () => {
    expect(afterUserFailure(alone, [part(1, 6, 7)]).alone).toBe(1);
    expect(afterUserFailure(alone, [part(0, 5, 6)]).alone).toBe(1);
    expect(afterUserFailure(alone, [{ ...part(1, 5, 6), topic: 'others' }]).alone).toBe(1);
  });

  it('counts from one when more failed together meanwhile', () => {
    const twice = afterUserFailure(alone, [part(1, 5, 6)]);
    const together = afterUserFailure(twice, [part(1, 5, 8)]);
    expect(together.alone).toBe(0);
    expect(afterUserFailure(together, [part(1, 5, 6)]).alone).toBe(1);
  });

  it('keeps its count when an earlier epoch is decided', () => {
    expect(afterDecision(alone, { read: { lines: [100, 5] } }, 3).alone).toBe(1);
  });

  it('is repeated, and is no step of a search', () => {
    expect(isSearching(alone)).toBe(false);
    expect(isSearching(afterUserFailure(afterUserFailure(FREE, [part(0, 0, 4)]), [part(0, 0, 4)]))).toBe(true);
    // Of two the next epoch reads one.
    expect(isSearching(afterUserFailure(afterUserFailure(FREE, [part(0, 0, 2)]), [part(0, 0, 2)]))).toBe(true);
  });
});

describe('a bound', () => {
  const limited = (limit: number): Isolation => ({ ...FREE, limit, full: 1000 });
  const planned = (...sizes: number[]) => ({
    read: [sizes.map((size, partition): SourceRange => ({ topic: 'lines', partition, from: 10, bound: 10 + size }))],
  });
  const sizesOf = (ranges: ReturnType<typeof boundedRanges>) =>
    Object.values(ranges)
      .flat(2)
      .map(({ partition, from, bound }) => [partition, bound - from]);

  it('is shared evenly, and what a short partition leaves goes to the others', () => {
    expect(sizesOf(boundedRanges(limited(50), planned(100, 2, 100), 0))).toEqual([
      [0, 24],
      [1, 2],
      [2, 24],
    ]);
  });

  it('smaller than the number of partitions takes them in turn', () => {
    expect([0, 1, 2, 3].map((turn) => sizesOf(boundedRanges(limited(1), planned(9, 9, 9), turn)))).toEqual([
      [[0, 1]],
      [[1, 1]],
      [[2, 1]],
      [[0, 1]],
    ]);
  });

  it('that is not needed changes nothing', () => {
    expect(boundedRanges(limited(500), planned(100, 100), 3)).toEqual(planned(100, 100));
    expect(boundedRanges(FREE, planned(100, 100), 3)).toEqual(planned(100, 100));
    expect(boundedRanges(FREE, planned(100, 100), 3, 500)).toEqual(planned(100, 100));
  });

  it('keeps the subtasks apart, also those that get nothing', () => {
    const two = { read: [[part(0, 0, 4)], [part(1, 0, 4)]], 'read-more': [[]] };
    const searched: Isolation = { ...FREE, suspects: [part(1, 0, 4)], full: 4 };
    const ranges = boundedRanges(searched, two, 0);
    expect(ranges['read']?.map((subtask) => offsetsIn(subtask))).toEqual([0, 2]);
    expect(ranges['read-more']).toEqual([[]]);
  });

  it('lets at least one offset through, whatever was decided while the suspects went', () => {
    const twice = [part(0, 10, 14), part(1, 10, 14)];
    const searching = afterUserFailure(afterUserFailure(FREE, twice), twice);
    const gap = afterDecision(searching, { read: { lines: [14, 14] } }, 0);
    expect(offsetsIn(Object.values(boundedRanges(gap, planned(9, 9), 0)).flat(2))).toBeGreaterThan(0);
    expect(afterDecision(gap, { read: { lines: [15, 14] } }, 1)).toEqual(FREE);
  });

  it('forgets suspects in partitions that are not there any more', () => {
    const twice = [part(0, 10, 11), part(1, 10, 14)];
    const searching = afterUserFailure(afterUserFailure(FREE, twice), twice);
    expect(afterDecision(searching, { read: { lines: [10] } }, 0).suspects).toEqual([part(0, 10, 11)]);
  });

  it('falls back to the limit when the suspects are gone', () => {
    const gone: Isolation = { ...FREE, suspects: [part(0, 0, 5)], limit: 3, full: 9 };
    expect(sizesOf(boundedRanges(gone, planned(100), 0))).toEqual([[0, 3]]);
  });
});
