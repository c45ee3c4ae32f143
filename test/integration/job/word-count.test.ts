import { describe, expect, it } from 'vitest';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

describe('the classic word count', () => {
  it('of "hello world hello", in which every word has one chance in five to throw, is hello:::1 world:::1 hello:::2, once each', async () => {
    const count = await newWordCount({ module: 'jobs/word-count-failing-words.ts', env: { ONCEFLOW_POISON_ATTEMPTS: 'unlimited' } });
    const run = count.job.start();
    await count.write(['hello world hello']);
    await count.allCounted(run);
    expect(count.reader.values.toSorted()).toEqual(['hello:::1', 'hello:::2', 'world:::1']);
    expect(count.reader.values.filter((value) => value.startsWith('hello'))).toEqual(['hello:::1', 'hello:::2']);
    // On until it has thrown some times.
    const failures = () => run.eventsOf('attempt-failed').filter(({ kind }) => kind === 'user-code');
    while (failures().length < 5) {
      await count.write(['hello world hello']);
      await count.allCounted(run);
    }
    expect(failures().every(({ message }) => /the word (hello|world) has drawn one of its chances to fail/.test(message))).toBe(true);
    await count.expectExact(run);
  });

  it('of more words than any attempt gets through, each with one chance in five to throw, is exact: epochs become small enough', async () => {
    const env = { ONCEFLOW_POISON_ATTEMPTS: 'unlimited', ONCEFLOW_RESTART_BACKOFF_MS: '1', ONCEFLOW_RESTART_BACKOFF_MAX_MS: '1' };
    const count = await newWordCount({ module: 'jobs/word-count-failing-words.ts', env });
    // 200 words: the chance of one attempt to get through all of them is 4e-20.
    await count.write(someLines(100, 1, 2));
    const run = count.job.start();
    await count.expectExact(run);
    expect(run.eventsOf('attempt-failed').every(({ kind }) => kind === 'user-code')).toBe(true);
    expect(run.eventsOf('decided').length).toBeGreaterThan(20);
  });

  it('of a large input, in which an attempt in three throws somewhere, counts every word once', async () => {
    const count = await newWordCount({ module: 'jobs/word-count-failing-attempts.ts', env: { ONCEFLOW_POISON_ATTEMPTS: 'unlimited' } });
    const run = count.job.start();
    for (let chunk = 0; chunk < 12; chunk++) {
      const decided = run.eventsOf('decided').length;
      await count.write(someLines(1000, chunk));
      if (chunk % 4 === 3) await run.until('another epoch', () => run.eventsOf('decided').length > decided || undefined);
    }
    while (run.eventsOf('attempt-failed').length < 3) {
      await count.write(someLines(200));
      await count.allCounted(run);
    }
    await count.expectExact(run);
    expect(count.reader.records.length).toBeGreaterThanOrEqual(12 * 1000 * 8);
  });
});
