import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../bench/harness/results.ts';
import { groupsOf, largeStates } from '../../../bench/harness/summary.ts';
import { tableOf } from '../../../bench/harness/table.ts';

const machine = { processor: 'a processor', cores: 2, memoryGb: 24, system: 'Linux', node: 'v24', java: 'openjdk 17', commit: 'abc' };
const setting = { shape: 'words', lines: 4_000_000, partitions: 3, parallelism: 1, blobs: 'file', intervalMs: 1000 };

function run(peer: string, metrics: RunResult['metrics'], change: Partial<RunResult> = {}): RunResult {
  return { mode: 'drain', peer, setting, at: '', machine, load: [0.1, 2], exact: true, check: undefined, metrics, ...change };
}

/** Cells of the row that begins with that metric. */
function rowOf(results: readonly RunResult[], metric: string): string[] {
  const line = tableOf(results)
    .split('\n')
    .find((text) => text.startsWith(`| ${metric} `));
  return (line ?? '').split('|').map((cell) => cell.trim());
}

describe('the table of a benchmark', () => {
  const results = [
    run('onceflow', { recordsPerSecond: 3_000_000, cpuSeconds: 20 }),
    run('flink', { recordsPerSecond: 1_500_000, cpuSeconds: 40 }),
    run('onceflow', { recordsPerSecond: 2_900_000, cpuSeconds: 20 }),
    run('flink', { recordsPerSecond: 1_400_000, cpuSeconds: 42 }),
    run('onceflow', { recordsPerSecond: 9_000_000, cpuSeconds: 20 }),
    run('flink', { recordsPerSecond: 1_600_000, cpuSeconds: 10 }),
  ];

  it('shows medians with the least and the most, and their ratio', () => {
    expect(rowOf(results, 'recordsPerSecond').slice(2, 5)).toEqual(['3.00 M (2.90 M to 9.00 M)', '1.50 M (1.40 M to 1.60 M)', '2.00']);
  });

  it('says of each target whether it is met', () => {
    expect(rowOf(results, 'recordsPerSecond')[5]).toBe('at least 2 ×: met');
    expect(rowOf(results, 'cpuSeconds')[5]).toBe('at most 0.45 ×: missed');
  });

  it('says nothing of a target that needs a peer which did not run', () => {
    const alone = results.filter(({ peer }) => peer === 'onceflow');
    expect(rowOf(alone, 'recordsPerSecond')[3]).toBe('at least 2 ×');
  });

  it('does not compare runs of different settings', () => {
    const other = run('flink', { recordsPerSecond: 1 }, { setting: { ...setting, intervalMs: 500 } });
    expect(groupsOf([...results, other]).map(({ peers }) => [...peers.keys()])).toEqual([['onceflow', 'flink'], ['flink']]);
  });

  it('shows runs that failed or were not exact', () => {
    const table = tableOf([run('onceflow', {}, { error: 'it fell over' }), run('flink', { recordsPerSecond: 1 }, { exact: false })]);
    expect(table).toContain('onceflow FAILED: it fell over');
    expect(table).toContain('flink: 1 of its runs NOT EXACT');
  });

  it('has, of several settings, a table of how the cost grows', () => {
    expect(tableOf(results)).not.toContain('every drain');
    const more = run('onceflow', { recordsPerSecond: 5_000_000 }, { setting: { ...setting, partitions: 12 } });
    const rows =
      tableOf([...results, more])
        .split('**onceflow, every drain**')[1]
        ?.split('\n') ?? [];
    expect(rows.filter((row) => /^\| words/.test(row)).map((row) => row.split('|')[7]?.trim())).toEqual([
      '3.00 M (2.90 M to 9.00 M)',
      '5.00 M',
    ]);
  });

  it('leaves failed runs out of the medians', () => {
    const failed = run('onceflow', {}, { error: 'it fell over', exact: false });
    expect(rowOf([...results, failed], 'recordsPerSecond')[2]).toBe('3.00 M (2.90 M to 9.00 M)');
  });
});

describe('a large state', () => {
  it('is compared with the small one: time of an epoch, and bytes of memory a key', () => {
    const large = (keys: number, epochMs: number, restPssMb: number) =>
      run('onceflow', { epochMs, restPssMb }, { mode: 'large-state', setting: { keys } });
    expect(largeStates(groupsOf([large(1_100_000, 60, 300), large(100_000, 20, 200)]))).toEqual([
      { keys: [100_000, 1_100_000], epochRatio: 3, bytesPerKey: (100 * 2 ** 20) / 1_000_000 },
    ]);
  });
});
