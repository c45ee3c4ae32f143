import { expect, it } from 'vitest';
import { reportOf } from './report.ts';
import { runSeed } from './run.ts';

const SEEDS = 300;

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
