import { describe, expect, it } from 'vitest';
import type { KeptCase } from '../../conformance/flink/case.ts';
import { choices, weGave } from '../../conformance/flink/choices.ts';
import { type Difference, differenceOf } from '../../conformance/flink/compare.ts';
import { ours } from '../../conformance/flink/ours.ts';
import { readKept } from '../../conformance/kept.ts';

/* What Flink gives is written down: `npm run conformance:flink` asks it, and draws new cases. */

const kept = readKept<KeptCase>('flink.jsonl');

it('windows and timers give what Flink gives', async () => {
  const differences: Difference[] = [];
  for (const { asked, answer } of kept) {
    const difference = differenceOf(asked, answer, await ours(asked));
    if (difference !== undefined) differences.push(difference);
  }
  expect(differences).toEqual([]);
});

it('the kept cases are of every kind, and something comes late in some', () => {
  const kinds = kept.map(({ asked }) => (asked.kind === 'timers' ? 'timers' : `${asked.shape.kind} windows of ${asked.time} time`));
  expect([...new Set(kinds)].toSorted()).toEqual([
    'count windows of event time',
    'session windows of event time',
    'session windows of processing time',
    'sliding windows of event time',
    'sliding windows of processing time',
    'timers',
    'tumbling windows of event time',
    'tumbling windows of processing time',
  ]);
  expect(kept.some(({ answer }) => answer.flat().some(({ late }) => late !== undefined))).toBe(true);
});

describe('where Onceflow means to do otherwise than Flink', () => {
  it.each(choices)('$name', async ({ asked, ours: should, flink }) => {
    expect(weGave(await ours(asked))).toEqual(should);
    expect(should).not.toEqual(flink);
  });
});
