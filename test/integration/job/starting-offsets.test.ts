import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../support/epochs.ts';
import { commitOffsets } from '../../support/group-offsets.ts';
import { uniqueName } from '../../support/topics.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { countWords, EXACT, faultsOf, someLines, totalOf } from '../../support/word-counts.ts';

/** Runs the job on a topic of three partitions with ten lines each, and answers where epoch 0 says that it starts. */
async function startsAt(
  count: WordCount,
  startingOffsets: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly number[] | undefined> {
  const run = count.job.start({ ONCEFLOW_STARTING_OFFSETS: startingOffsets, ...env });
  await run.event('starting-offsets');
  await run.stop();
  return (await manifestOf(count.job.name, 0)).offsets['read-lines']?.[count.input];
}

async function thirtyLines(): Promise<WordCount> {
  const count = await newWordCount();
  await count.write(someLines(30));
  return count;
}

describe('ONCEFLOW_STARTING_OFFSETS', () => {
  it('timestamp starts at the first record that is not older, and behind the last where all are', async () => {
    const count = await thirtyLines();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const betweenMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await count.write(someLines(1, 2));
    expect(await startsAt(count, `timestamp:${new Date(betweenMs).toISOString()}`)).toEqual([10, 10, 10]);
  });

  it('timestamp of long ago starts at the beginning', async () => {
    expect(await startsAt(await thirtyLines(), 'timestamp:2020-01-01')).toEqual([0, 0, 0]);
  });

  it('group starts at the committed offsets of ONCEFLOW_GROUP_ID, and where it has none as it is told', async () => {
    const count = await thirtyLines();
    const groupId = uniqueName('readers');
    await commitOffsets(groupId, count.input, [4, 7]);
    const env = { ONCEFLOW_GROUP_ID: groupId };
    const refused = await count.job.start({ ...env, ONCEFLOW_STARTING_OFFSETS: 'group' }).ended;
    expect(refused.end).toBe('failed');
    expect(refused.message).toContain(`source read-lines is to start in topic ${count.input} at the offsets of consumer group ${groupId}`);
    expect(refused.message).toContain(
      'that says nothing of partition 2: give the offsets, or add group:earliest or group:latest for the rest',
    );
    expect(await startsAt(count, 'group:earliest', env)).toEqual([4, 7, 0]);
  });

  it('offsets starts where it says, once: a later start goes on from the manifest', async () => {
    const count = await thirtyLines();
    const offsets = [9, 3, 10];
    expect(await startsAt(count, 'offsets:0=9,1=3,2=10')).toEqual(offsets);
    const again = count.job.start({ ONCEFLOW_STARTING_OFFSETS: 'offsets:0=0,1=0,2=0' });
    const lines = someLines(30).filter((_, index) => Math.floor(index / offsets.length) >= (offsets[index % offsets.length] ?? 0));
    // Not an event of the second run: the first may have committed all before it was told to stop.
    await count.reader.readUntil(({ records }) => records.length >= totalOf(countWords(lines)));
    await again.stop();
    await count.reader.readOn();
    expect(faultsOf(count.reader.records, lines)).toEqual(EXACT);
    expect((await manifestOf(count.job.name)).offsets['read-lines']?.[count.input]).toEqual([10, 10, 10]);
  });

  it('offsets that no record has, or that leave a partition out, are refused with what there is', async () => {
    const count = await thirtyLines();
    const outside = await count.job.start({ ONCEFLOW_STARTING_OFFSETS: 'offsets:0=11,1=0,2=0' }).ended;
    expect(outside.message).toContain('at offsets:0=11,1=0,2=0: partition 0 holds the offsets 0 to 10 (ONCEFLOW_STARTING_OFFSETS');
    const left = await count.job.start({ ONCEFLOW_STARTING_OFFSETS: 'offsets:0=1' }).ended;
    expect(left.message).toContain('that says nothing of partition 1, 2: give the offsets, or add *=earliest or *=latest for the rest');
  });
});
