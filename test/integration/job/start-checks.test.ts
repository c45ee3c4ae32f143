import { describe, expect, it } from 'vitest';
import { jobRow } from '../../support/epochs.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const WRONG: readonly { readonly wrong: Readonly<Record<string, string>>; readonly says: RegExp }[] = [
  { wrong: { ONCEFLOW_JOB: './jobs/nexmark/q0.ts', ONCEFLOW_TOPICS: '' }, says: /cannot go on with this graph: .*count-words/ },
  { wrong: { ONCEFLOW_MAX_PARALLELISM: '64' }, says: /ONCEFLOW_MAX_PARALLELISM=64: job \S+ was started with 128/ },
  {
    wrong: { ONCEFLOW_BLOBS: 'file:///proc/onceflow' },
    says: /could not write blob .* in file:\/\/\/proc\/onceflow .* correct ONCEFLOW_BLOBS/,
  },
  { wrong: { ONCEFLOW_TRANSACTION_TIMEOUT_MS: '1800000' }, says: /the broker refuses it; lower ONCEFLOW_TRANSACTION_TIMEOUT_MS/ },
  { wrong: { ONCEFLOW_TOPICS: 'read-lines=no-such-input,write-counts=no-such-output' }, says: /topic no-such-(input|output)/ },
];

describe('a start that could not work', () => {
  it('changes nothing of a job that runs, whichever it is', async () => {
    const count = await newWordCount();
    await count.write(['ant bee']);
    const first = count.job.start();
    const { generation } = await first.event('lease-taken');
    await first.event('committed');
    for (const { wrong, says } of WRONG) {
      const asked = JSON.stringify(wrong);
      expect(await count.job.start(wrong).ended, asked).toMatchObject({ end: 'refused', message: expect.stringMatching(says) });
      expect(await jobRow(count.job.name), asked).toMatchObject({ generation, desired: 'running', failure: undefined });
      await count.write(['cow']);
      await count.allCounted(first);
    }
    await count.expectExact(first);
  });

  it('of a job that nobody holds fails at once, and the row says why', async () => {
    const count = await newWordCount();
    const ended = await count.job.start({ ONCEFLOW_BLOBS: 'file:///proc/onceflow' }).ended;
    expect(ended).toMatchObject({ end: 'failed', message: expect.stringMatching(/trying the blob store: could not write blob/) });
    expect((await jobRow(count.job.name)).failure).toBe(ended.message);
  });
});
