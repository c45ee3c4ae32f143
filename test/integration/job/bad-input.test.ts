import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { manifestOf } from '../../support/epochs.ts';
import { afterDecision, planFault } from '../../support/faults.ts';
import { newJob, type TestJob } from '../../support/job.ts';
import { deleteBefore, newProducer, newTopic, send, uniqueName, withAdmin } from '../../support/topics.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { EXACT, faultsOf, someLines } from '../../support/word-counts.ts';

describe('a record that cannot be read', () => {
  it('stops the job with its topic, partition and offset, skipping nothing', async () => {
    const count = await newWordCount();
    await count.write(someLines(30));
    const run = count.job.start();
    await count.allCounted(run);
    const readable = await count.inputLines();
    const notUtf8 = Buffer.from([0x61, 0xff, 0xfe, 0x62]);
    const producer = await newProducer();
    await producer.send({ topic: count.input, messages: [{ partition: 1, value: notUtf8 }] });
    await send(producer, count.input, someLines(30, 2));
    const { end, message } = await run.ended;
    expect(end).toBe('failed');
    expect(message).toContain(`topic ${count.input}, partition 1, offset 10: source read-lines cannot read the value with serde utf8`);
    expect(message).toContain('It has 4 bytes: 61fffe62. The job stops here and skips nothing.');
    expect((await manifestOf(count.job.name)).offsets['read-lines']?.[count.input]?.[1]).toBe(10);
    await count.reader.readOn();
    expect(faultsOf(count.reader.records, readable)).toEqual(EXACT);
  });
});

describe('a record that is too large for the sink', () => {
  it('stops the job with its sink and topic and the limit to raise, and goes on exactly when that is done', async () => {
    const count = await newWordCount({ outputSettings: { 'max.message.bytes': '4096' } });
    await count.write([...someLines(30), `short ${'long'.repeat(2000)} short`]);
    const { end, message } = await count.job.start().ended;
    expect(end).toBe('failed');
    expect(message).toContain(`sink write-counts, topic ${count.output}: a record takes 8`);
    expect(message).toContain("and the limit is 3584: raise the sink topic's max.message.bytes");
    const larger = { type: 2, name: count.output, configEntries: [{ name: 'max.message.bytes', value: '16384' }] };
    await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [larger] }));
    await count.expectExact(count.job.start());
  });
});

describe('a topic that does not exist', () => {
  it.each(['read-lines', 'write-counts'])('stops the job with its name and the option, for %s', async (uid) => {
    const missing = uniqueName('nowhere');
    const there = await newTopic('there');
    const job = await newJob('jobs/word-count.ts', { 'read-lines': there, 'write-counts': there, [uid]: missing });
    const { end, message } = await job.start().ended;
    expect(end).toBe('failed');
    expect(message).toMatch(
      new RegExp(
        `topic ${missing} does not exist on .*; create it, or change the job's topic \\(ONCEFLOW_TOPICS, or ONCEFLOW_DEAD_LETTER_TOPIC\\) or ONCEFLOW_BROKERS`,
      ),
    );
  });
});

describe('an offset that retention has deleted', () => {
  it('stops the job with the offset and what to change, instead of skipping to what is left', async () => {
    const count = await newWordCount();
    await count.write(someLines(30));
    const first = count.job.start();
    await count.allCounted(first);
    await first.stop();
    await count.write(someLines(60, 2));
    await deleteBefore(count.input, 2, 15);
    const { end, message } = await count.job.start().ended;
    expect(end).toBe('failed');
    expect(message).toContain(
      `topic ${count.input}, partition 2: the broker no longer has offset 10, its log starts at 15: 5 offsets were deleted`,
    );
    expect(message).toContain('The job stops and skips nothing (ONCEFLOW_ON_DATA_LOSS=stop): raise the retention');
    expect((await manifestOf(count.job.name)).offsets['read-lines']?.[count.input]).toEqual([10, 10, 10]);
  });

  it('is left out aloud with ONCEFLOW_ON_DATA_LOSS=earliest, and all that is left is counted', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_ON_DATA_LOSS: 'earliest' } });
    await count.write(someLines(30));
    const first = count.job.start();
    await count.allCounted(first);
    await first.stop();
    await count.write(someLines(60, 2));
    await deleteBefore(count.input, 2, 15);
    const second = count.job.start();
    expect(await second.event('data-loss')).toMatchObject({ topic: count.input, partition: 2, from: 10, to: 15, count: 5 });
    await second.event('committed');
    await second.stop();
    expect((await manifestOf(count.job.name)).offsets['read-lines']?.[count.input]).toEqual([30, 30, 30]);
    expect(second.eventsOf('data-loss')).toHaveLength(1);
  });
});

describe('a topic whose partitions grow while the job runs, under load', () => {
  it('is read, within ONCEFLOW_PARTITION_DISCOVERY_INTERVAL_MS, from the beginning of its new partitions, also by a job that started at the latest offsets', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_STARTING_OFFSETS: 'latest', ONCEFLOW_PARTITION_DISCOVERY_INTERVAL_MS: '100' } });
    const run = count.job.start();
    await run.event('starting-offsets');
    const feed = count.feed();
    await run.event('committed', ({ epoch }) => epoch > 0);
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: count.input, count: 5 }] }));
    // Written at once: before the job can know of the new partitions.
    await send(await newProducer(), count.input, someLines(50, 2), 5);
    await feed.stop();
    await count.expectExact(run);
    expect((await manifestOf(count.job.name)).offsets['read-lines']?.[count.input]).toHaveLength(5);
  });
});

describe('a blob', () => {
  it('of the state that is damaged or missing stops the job with its name, is never taken for empty, and when it is back the job goes on exactly', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_INLINE_BLOB_BYTES: '0' } });
    await count.write(someLines(30));
    const first = count.job.start();
    await count.allCounted(first);
    await first.stop();
    const [snapshot] = (await manifestOf(count.job.name)).state['count-words'] ?? [];
    const blob = storedName(snapshot?.base ?? snapshot?.deltas[0]);
    await count.write(someLines(30, 2));

    const whole = readFileSync(join(count.job.blobs, blob));
    await expectRefusedWhenDamaged(count.job, blob);
    await expectRefusedWhenMissing(count.job, blob);
    writeFileSync(join(count.job.blobs, blob), whole);
    await count.expectExact(count.job.start());
  });

  it('of staged output that is damaged stops the republishing with its name, and when it is whole again the output is published once', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_INLINE_BLOB_BYTES: '0' } });
    const killed = planFault({ ...afterDecision(1), does: 'kill-all' });
    await count.write(someLines(30));
    await count.job.start(killed.env).ended;
    await killed.happened();
    const { committables, outputs } = await manifestOf(count.job.name, 1);
    const zombie = await newProducer(committables.map(kafkaCommittable)[0]?.transactionalId);
    await (await zombie.transaction()).abort();

    const blob = storedName(outputs['write-counts']?.[0]?.[0]);
    const whole = readFileSync(join(count.job.blobs, blob));
    // That long it hopes for another answer.
    await expectRefusedWhenDamaged(count.job, blob, { ONCEFLOW_COMMIT_TIMEOUT_MS: '2000' });
    writeFileSync(join(count.job.blobs, blob), whole);
    const last = count.job.start();
    expect(await last.event('recovered')).toMatchObject({ epoch: 1, republished: 1 });
    await count.expectExact(last);
  });
});

async function expectRefusedWhenDamaged(
  { blobs, start }: TestJob,
  blob: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const path = join(blobs, blob);
  const damaged = readFileSync(path);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
  writeFileSync(path, damaged);
  const { end, message } = await start(env).ended;
  expect(end).toBe('failed');
  expect(message).toContain(`blob ${blob}`);
  expect(message).toContain('checksum');
}

async function expectRefusedWhenMissing({ blobs, start }: TestJob, blob: string): Promise<void> {
  rmSync(join(blobs, blob));
  const { end, message } = await start().ended;
  expect(end).toBe('failed');
  expect(message).toContain(`blob ${blob} is missing from file://${blobs}`);
  expect(message).toContain('(ONCEFLOW_BLOBS)');
}

function storedName(ref: BlobRef | undefined): string {
  if (ref?.at !== 'store') throw new Error(`the manifest names no stored blob: ${JSON.stringify(ref)}`);
  return ref.name;
}
