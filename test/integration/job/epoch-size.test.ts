import { expect, it } from 'vitest';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { newWordCount } from '../../support/word-count-run.ts';

it('a backlog that takes far longer than ONCEFLOW_EPOCH_TIMEOUT_MS is worked through, in epochs that fit', async () => {
  const count = await newWordCount({ module: 'test/support/slow-job.ts', env: SHORT_TRANSACTIONS });
  // Two milliseconds a word: three seconds of work, for an epoch of one and a half.
  await count.write(Array.from({ length: 300 }, (_, line) => `a b c d e${line}`));
  const run = count.job.start({}, 'each');
  await count.expectExact(run);
  const timedOut = run.eventsOf('attempt-failed').filter(({ stage }) => stage === 'count-words');
  expect(timedOut.length).toBeGreaterThan(0);
  expect(run.eventsOf('committed').length).toBeGreaterThan(4);
});
