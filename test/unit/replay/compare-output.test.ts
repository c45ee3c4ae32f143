import { expect, it } from 'vitest';
import { compareRows } from '../../../lib/replay/compare-output.ts';
import type { OutputRow } from '../../../lib/sinks/output-row.ts';

function row(place: string, key: string | undefined, value: string, timestamp: string | undefined = '5'): OutputRow {
  return { place, identity: JSON.stringify([key, value]), timestamp, key, value };
}

it('the same rows are the same, each as often as it was', () => {
  const rows = [row('t-0', 'a', '1'), row('t-0', 'a', '1'), row('t-1', 'b', '1')];
  expect(compareRows(rows, rows)).toEqual({ decided: 3, again: 3, byKey: [], moved: 0, isReordered: false });
  expect(compareRows(rows, rows.slice(1)).byKey).toEqual([{ place: 't-0', key: 'a', onlyDecided: ['1'], onlyAgain: [] }]);
});

it('a row of another value, another time or another partition is one that differs, of its key', () => {
  const rows = [row('t-0', 'a', '1'), row('t-0', 'b', '1')];
  expect(compareRows(rows, [row('t-0', 'a', '2'), row('t-0', 'b', '1')]).byKey).toEqual([
    { place: 't-0', key: 'a', onlyDecided: ['1'], onlyAgain: ['2'] },
  ]);
  expect(compareRows(rows, [row('t-0', 'a', '1', '6'), row('t-0', 'b', '1')]).byKey).toMatchObject([
    { key: 'a', onlyDecided: [{ value: '1', timestamp: '5' }], onlyAgain: [{ value: '1', timestamp: '6' }] },
  ]);
  expect(compareRows(rows, [row('t-1', 'a', '1'), row('t-0', 'b', '1')]).byKey.map(({ place }) => place)).toEqual(['t-0', 't-1']);
});

it('times that the broker has given are no difference', () => {
  expect(compareRows([row('t-0', 'a', '1', undefined)], [row('t-0', 'a', '1')]).byKey).toEqual([]);
});

it('rows without a key may come to another partition, and rows in another order: both are said, and neither is a difference', () => {
  const found = compareRows(
    [row('t-0', undefined, 'x'), row('t-0', undefined, 'y')],
    [row('t-1', undefined, 'x'), row('t-0', undefined, 'y')],
  );
  expect(found).toMatchObject({ byKey: [], moved: 1 });
  const rows = [row('t-0', 'a', '1'), row('t-0', 'b', '1')];
  expect(compareRows(rows, rows.toReversed())).toMatchObject({ byKey: [], isReordered: true });
});
