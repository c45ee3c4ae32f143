import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metrics } from '../../../lib/config/metrics.ts';
import { prometheusName, type SeriesName, series } from '../../../lib/config/series.ts';

const page = readFileSync('docs/observability.md', 'utf8');
const section = page.split('\n## What a number tells, and what to do\n')[1]?.split('\n## ')[0] ?? '';
const rows = section.split('\n').filter((line) => /^\| .*`/.test(line));

it('the documents say of each metric and each series what it tells, and what to do', () => {
  const all = [...Object.keys(metrics), ...(Object.keys(series) as SeriesName[]).map(prometheusName)];
  const named = new Set(rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name)));
  expect(all.filter((name) => !named.has(name))).toEqual([]);
  expect([...named].filter((name) => !all.includes(name) && !['failed', 'lost'].includes(name))).toEqual([]);
});

it('none of them is left without a mend', () => {
  expect(rows.filter((row) => row.split('|').some((cell, at) => at > 0 && at < 4 && cell.trim() === ''))).toEqual([]);
});
