/** Run by trials only: a test for each seed. */
import { expect, inject, it } from 'vitest';
import { runSeed } from '../simulation/run.ts';

// Traces of errors that are part of the play cost more than the play. No file comes after this one.
Error.stackTraceLimit = 0;

it.each(inject('seeds'))('seed %i', async (seed) => {
  const [violation] = (await runSeed(seed)).violations;
  if (violation !== undefined) expect.fail(`${violation.invariant}: ${violation.message}`);
});
