import { expect, it } from 'vitest';
import { drawWorld } from './draw.ts';
import { reportOf } from './report.ts';
import { runSeed, runWorld } from './run.ts';

/** A short form: `npm run simulate` has as many as are asked for. */
const SEEDS = 100;

it(`no invariant is violated in the histories of ${SEEDS} seeds`, async () => {
  const { stackTraceLimit } = Error;
  // Traces of errors that are part of the play cost more than the play.
  Error.stackTraceLimit = 0;
  try {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await runSeed(seed);
      if (outcome.violations.length > 0) expect.fail(reportOf(await runSeed(seed, { history: true }), undefined));
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}, 600_000);

it('no invariant is violated where jobs start from savepoints with offsets of elsewhere', async () => {
  let moved = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { observed, violations } = await runWorld(drawWorld(seed, {}, 'moves'));
    moved += observed.filter((event) => event.event === 'started-from' && event.sourceOffsets !== undefined).length;
    expect(violations).toEqual([]);
  }
  expect(moved).toBeGreaterThan(2);
}, 120_000);

it('a seed gives the same history, byte for byte', async () => {
  for (const seed of [3, 27, 194]) {
    const [first, second] = [await runSeed(seed, { history: true }), await runSeed(seed, { history: true })];
    expect(first.history.length).toBeGreaterThan(100);
    expect(second.history.join('\n')).toBe(first.history.join('\n'));
    expect(second.violations).toEqual(first.violations);
  }
});

it('two seeds give two histories', async () => {
  const [first, second] = [await runSeed(1, { history: true }), await runSeed(2, { history: true })];
  expect(second.history).not.toEqual(first.history);
});

it('input that was said to be gone before a job was deleted is not gone for the job that takes its name', async () => {
  const outcome = await runWorld(drawWorld(1408, {}, 'reach'));
  expect(outcome.observed.filter(({ event }) => event === 'data-loss').length).toBeGreaterThan(0);
  expect(outcome.violations).toEqual([]);
});
