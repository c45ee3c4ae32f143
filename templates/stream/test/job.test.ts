import { testJob } from 'onceflow/testing';
import { expect, test } from 'vitest';
import job, { counts, lines } from '../src/job.ts';

test('words are counted once, also when everything crashes before an epoch is decided', async () => {
  const run = testJob(job);
  run.push(lines, 'hello world');
  await run.runEpoch();
  run.push(lines, 'hello again');
  await run.crash();
  await run.runEpoch();
  expect(run.values(counts)).toEqual(['hello: 1', 'world: 1', 'hello: 2', 'again: 1']);
});
