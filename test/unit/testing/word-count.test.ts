import { expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { testJob } from '../../../lib/testing/index.ts';

test('words are counted', async () => {
  const job = testJob(wordCount);
  job.push('read-lines', 'hello world hello');
  expect(await job.runEpoch()).toEqual({ epoch: 1, isForTime: false, recordsIn: 1, recordsOut: 3 });
  expect(job.values('write-counts')).toEqual(['hello:::1', 'world:::1', 'hello:::2']);
  expect(await job.state('count-words', 'hello')).toEqual({ count: 2 });
  expect(await job.runEpoch()).toBeUndefined();
});
