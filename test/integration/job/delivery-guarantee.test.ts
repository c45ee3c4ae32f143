import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../support/epochs.ts';
import { afterDecision, planFault } from '../../support/faults.ts';
import { listTransactions } from '../../support/transactions.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { faultsOf, someLines } from '../../support/word-counts.ts';

const AT_LEAST_ONCE = { ONCEFLOW_DELIVERY_GUARANTEE: 'at-least-once' };

/** By which the last epoch is committed. */
async function connectorsOf(job: string): Promise<string[]> {
  return (await manifestOf(job)).committables.map(({ connector }) => connector);
}

describe('ONCEFLOW_DELIVERY_GUARANTEE=at-least-once', () => {
  it('writes every count without a transaction, and exactly when nothing goes wrong', async () => {
    const count = await newWordCount({ env: AT_LEAST_ONCE });
    await count.write(someLines(60));
    await count.expectExact(count.job.start());
    expect(await listTransactions(count.job.name)).toEqual([]);
    expect(await connectorsOf(count.job.name)).toEqual(['write-ahead']);
  });

  it('loses nothing when everything is killed between the decision and the output', async () => {
    const count = await newWordCount({ env: AT_LEAST_ONCE });
    await count.write(someLines(60));
    const killed = planFault({ ...afterDecision(1), does: 'kill-all' });
    expect((await count.job.start(killed.env).ended).end).toBe('killed');
    await killed.happened();
    const second = count.job.start();
    await count.allCounted(second);
    // Output is seen before its acknowledgement; a coordinator that is told to end meanwhile leaves it to the next.
    await second.event('recovered');
    await second.stop();
    await count.reader.readOn();
    expect(faultsOf(count.reader.records, await count.inputLines())).toMatchObject({ missing: [], disordered: [] });
  });

  it('is left at a restart: what was decided so is sent, and the rest is exactly once', async () => {
    const count = await newWordCount();
    await count.write(someLines(30));
    const first = count.job.start(AT_LEAST_ONCE);
    await count.allCounted(first);
    await first.stop();
    await count.write(someLines(30, 2));
    await count.expectExact(count.job.start());
    expect(await connectorsOf(count.job.name)).toEqual(['kafka']);
    expect(await listTransactions(count.job.name)).not.toEqual([]);
  });
});
