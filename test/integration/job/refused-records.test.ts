import { describe, expect, it } from 'vitest';
import { TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic } from '../../support/topics.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const module = 'test/support/keyless-job.ts';
const outputSettings = { 'cleanup.policy': 'compact' };
const DAY_MS = 86_400_000;

describe('a record that the topic of a sink refuses (a compacted topic takes none without a key)', () => {
  it('stops the job with the topic, partition and offset of the input that it was made of', async () => {
    const count = await newWordCount({ module, outputSettings, env: { ONCEFLOW_POISON_ATTEMPTS: '2' } });
    await count.write(['ant bee', 'cow nokey', 'auk']);
    const { end, message } = await count.job.start().ended;
    expect(end).toBe('failed');
    expect(message).toMatch(new RegExp(`topic ${count.input}, partition \\d, offset \\d: this record alone failed`));
    expect(message).toMatch(/sink write-counts.*INVALID_RECORD.*cleanup.policy of topic/s);
  });

  it('goes to the dead letters, as what made it fail in a function does, and everything else is counted once', async () => {
    const letters = await newTopic('letters');
    const env = { ONCEFLOW_POISON_ATTEMPTS: '2', ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: letters };
    const count = await newWordCount({ module, outputSettings, env });
    await count.write(['ant bee', 'cow nokey', 'auk']);
    const run = count.job.start();
    await count.reader.readUntil(({ records }) => records.length >= 3);
    const reader = new TopicReader(letters);
    await reader.readUntil(({ records }) => records.length >= 1);
    await run.stop();
    await count.reader.readOn();
    await reader.readOn();
    expect(count.reader.values.sort()).toEqual(['ant:::1', 'auk:::1', 'bee:::1']);
    expect(reader.values).toEqual(['cow nokey']);
  });

  it('stops the job that sends at least once, when that has lasted, and is not sent without end', async () => {
    const env = { ONCEFLOW_DELIVERY_GUARANTEE: 'at-least-once', ONCEFLOW_REFUSAL_TIMEOUT_MS: '1000' };
    const count = await newWordCount({ module, outputSettings, env });
    await count.write(['cow nokey']);
    expect(await count.job.start().ended).toMatchObject({
      end: 'failed',
      message: expect.stringMatching(/sink write-counts was answered INVALID_RECORD \(topic .*, record \d of its batch: .*\)/),
    });
  });
});

it('a record whose time the topic of a sink refuses, a day ahead, is named too', async () => {
  const inputSettings = { 'message.timestamp.after.max.ms': String(7 * DAY_MS) };
  const count = await newWordCount({ inputSettings, env: { ONCEFLOW_POISON_ATTEMPTS: '2' } });
  await count.write(['ant bee']);
  const producer = await newProducer();
  const messages = [{ value: 'cow', partition: 1, timestamp: String(Date.now() + DAY_MS) }];
  await producer.send({ topic: count.input, messages });
  expect(await count.job.start().ended).toMatchObject({
    end: 'failed',
    message: expect.stringMatching(
      new RegExp(
        `topic ${count.input}, partition 1, offset 0: this record alone failed .*INVALID_TIMESTAMP.*message\\.timestamp\\.after\\.max\\.ms`,
      ),
    ),
  });
});

it('a dead letter that its topic refuses stops the job with topic and mend: it can go nowhere else', async () => {
  const letters = await newTopic('letters', { settings: outputSettings });
  const env = { ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: letters, ONCEFLOW_REFUSAL_TIMEOUT_MS: '1000' };
  const count = await newWordCount({ env });
  const producer = await newProducer();
  await producer.send({ topic: count.input, messages: [{ value: Buffer.from([0x61, 0xff]) }] });
  expect(await count.job.start().ended).toMatchObject({
    end: 'failed',
    message: expect.stringMatching(new RegExp(`dead-letters.*INVALID_RECORD.*cleanup\\.policy of topic ${letters}`)),
  });
});
