import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../bench/harness/results.ts';
import { speedDrawing } from '../../../bench/speed/drawing.ts';
import { measuredAgain, readSpeed, type Speed } from '../../../bench/speed/speed.ts';
import { speedTable, withSpeedTable } from '../../../bench/speed/table.ts';

const textOf = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const speed = readSpeed();

describe('the published figures', () => {
  it('are the table of docs/speed.md: run npm run docs:speed', () => {
    expect(withSpeedTable(textOf('docs/speed.md'), speed)).toBe(textOf('docs/speed.md'));
  });

  it('are docs/speed.svg: run npm run docs:speed', () => {
    expect(speedDrawing(speed)).toBe(textOf('docs/speed.svg'));
  });

  it('stand in the drawing as in the table, under names that differ', () => {
    const drawing = textOf('docs/speed.svg');
    const names = speed.charts.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const row of speedTable(speed).split('\n').slice(2)) {
      const [, label = '', ours = '', flink = ''] = row.split('|').map((cell) => cell.trim());
      if (flink === '') continue;
      const what = label.replace(/^(\*\*.*\*\*, .* runs?:|…) /, '');
      const median = (cell: string) => cell.replace(/ \(.*\)$/, '');
      expect(drawing).toContain(`<title>${what}: `);
      expect(drawing).toMatch(new RegExp(`<title>${what}: [a-z ]+: Onceflow ${median(ours)}, Flink ${median(flink)}</title>`));
    }
    for (const { name, figures } of speed.charts)
      expect(drawing.includes(`<title>${name}</title>`)).toBe(figures.some(({ flink }) => flink !== undefined));
  });
});

describe('figures that were measured again', () => {
  const machine = { processor: 'a processor', cores: 2, memoryGb: 24, system: 'Linux', node: 'v24', java: 'openjdk 17', commit: 'abc' };
  const run = (
    peer: string,
    metrics: RunResult['metrics'],
    mode: RunResult['mode'] = 'drain',
    setting: RunResult['setting'] = { lines: 9, blobs: 's3' },
  ): RunResult => ({
    ...{ mode, peer, setting, at: '', machine, load: [0, 0], exact: true, check: undefined, metrics },
  });
  const old: Speed = {
    machine: 'a machine',
    charts: [
      {
        ...{ name: 'words', mode: 'drain', setting: { blobs: 's3' }, runs: 1 },
        figures: [
          {
            what: 'words/s',
            metric: 'recordsPerSecond',
            unit: '',
            better: 'higher',
            onceflow: { median: 1 },
            flink: { median: 2 },
            ratio: 0.5,
          },
          { what: 'not measured', metric: 'cpuSeconds', unit: 's', better: 'lower', onceflow: { median: 7 } },
        ],
      },
      {
        name: 'state',
        mode: 'large-state',
        setting: { keys: 200 },
        runs: 1,
        figures: [{ what: 'times', metric: 'epochRatio', unit: '', better: 'lower', onceflow: { median: 9 } }],
      },
      { name: 'not run', mode: 'trickle', setting: {}, runs: 4, figures: [] },
    ],
  };

  it('take the place of the old ones, with ratios of what was measured; the others stay', () => {
    const { charts } = measuredAgain(old, [
      run('onceflow', { recordsPerSecond: 30 }),
      run('flink', { recordsPerSecond: 10 }),
      run('onceflow', { recordsPerSecond: 20 }),
      run('onceflow', { recordsPerSecond: 1 }, 'drain', { lines: 9, blobs: 'file' }),
      run('onceflow', { epochMs: 5 }, 'large-state', { keys: 100 }),
      run('onceflow', { epochMs: 15 }, 'large-state', { keys: 200 }),
    ]);
    expect(charts[0]).toMatchObject({
      runs: 2,
      figures: [{ onceflow: { median: 25, least: 20, most: 30 }, flink: { median: 10 }, ratio: 2.5 }, { onceflow: { median: 7 } }],
    });
    expect(charts[1]?.figures[0]?.onceflow.median).toBe(3);
    expect(charts[2]).toEqual(old.charts[2]);
  });

  it('are written with their unit and their range, and say whether a target is met', () => {
    const figure = { metric: 'm', better: 'lower' } as const;
    const rows = speedTable({
      machine: '',
      charts: [
        {
          ...{ name: 'words', mode: 'drain', setting: {}, runs: 2 },
          figures: [
            {
              ...figure,
              what: 'a',
              unit: '',
              onceflow: { median: 3.18e6, least: 3.03e6, most: 3.33e6 },
              flink: { median: 1.5e6 },
              target: { ratio: 'at least', of: 2 },
            },
            { ...figure, what: 'b', unit: 's', onceflow: { median: 6, least: 5.8, most: 6.1 }, target: { limit: 'at most', of: 5 } },
            { ...figure, what: 'c', unit: 'ms', onceflow: { median: 50, least: 49, most: 52 } },
          ],
        },
      ],
    });
    expect(rows.split('\n').slice(2)).toEqual([
      '| **words**, 2 runs: a | 3.18 M (3.03 to 3.33) | 1.50 M | 2.12 | 2: met |',
      '| … b | 6.00 s (5.80 to 6.10) | | | 5 s: missed |',
      '| … c | 50 ms (49 to 52) | | | |',
    ]);
  });
});
