import { expect, it } from 'vitest';
import { jobRow } from '../../support/epochs.ts';
import { itemsOf, setBack } from '../../support/restored-table.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { EXACT, faultsOf } from '../../support/word-counts.ts';

it('a job whose table was set back to an earlier time does not start, and repeats nothing', async () => {
  const count = await newWordCount();
  await count.write(['ant bee']);
  await count.expectExact(count.job.start());
  const earlier = await itemsOf(count.job.name);
  const run = count.job.start();
  // The offsets of one epoch are with the group before the next is committed.
  for (const line of ['ant cow', 'bee auk']) {
    await count.write([line]);
    await count.allCounted(run);
  }
  await count.expectExact(run);
  const { lastCompleted } = await jobRow(count.job.name);

  await setBack(count.job.name, earlier);
  const restored = await jobRow(count.job.name);
  expect(restored.lastCompleted?.epoch).toBeLessThan(lastCompleted?.epoch ?? 0);
  expect(await count.job.start().ended).toMatchObject({
    end: 'failed',
    message: expect.stringMatching(/consumer group \S+ says that epoch \d+ of job .* was committed, and .* the table was set back/),
  });
  expect((await jobRow(count.job.name)).lastCompleted).toEqual(restored.lastCompleted);
  await count.reader.readOn();
  expect(faultsOf(count.reader.records, await count.inputLines())).toEqual(EXACT);
});
