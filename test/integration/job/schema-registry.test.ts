import { expect, it, onTestFinished } from 'vitest';
import { avro } from '../../../lib/formats/avro.ts';
import { newJob } from '../../support/job.ts';
import { TestRegistry } from '../../support/schema-registry.ts';
import { TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic } from '../../support/topics.ts';
import { bytesOf } from '../../unit/formats/bytes.ts';

const older = { type: 'record', name: 'Line', fields: [{ name: 'text', type: 'string' }] };
const newer = {
  type: 'record',
  name: 'Line',
  fields: [
    { name: 'from', type: 'string' },
    { name: 'more', type: ['null', 'int'], default: null },
    { name: 'text', type: 'string' },
  ],
};

it('a job whose registry is down when it starts, and again when a new schema comes, waits aloud, and leaves no record out', async () => {
  const server = await TestRegistry.start();
  onTestFinished(() => server.close());
  const [input, output, dead] = (await Promise.all(['in', 'out', 'dead'].map((what) => newTopic(what, { partitions: 1 })))) as [
    string,
    string,
    string,
  ];
  server.setRule(`${input}-value`, 'NONE');
  const behind = (schema: object, value: object) => {
    const id = server.add(`${input}-value`, { schema: JSON.stringify(schema) });
    return Buffer.concat([Buffer.from([0, 0, 0, 0, id]), bytesOf(avro<object>(schema), value)]);
  };
  const producer = await newProducer();
  const write = (...values: readonly Buffer[]) => producer.send({ topic: input, messages: values.map((value) => ({ value })) });
  const job = await newJob(
    'test/support/avro-job.ts',
    { 'read-lines': input, 'write-results': output },
    { SCHEMA_REGISTRY_URL: server.url, ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: dead },
  );
  await write(behind(older, { text: 'one' }), behind(older, { text: 'two' }));
  server.trouble = () => ({ is: 'down' });
  const run = job.start();
  const failed = await run.event('attempt-failed');
  expect(failed.message).toMatch(/schema registry http:\S+: .*no answer from http/);
  server.trouble = () => ({ is: 'none' });
  const results = new TopicReader(output);
  await results.readUntil(({ records }) => records.length >= 2);

  server.trouble = (request) => (request.startsWith('GET') ? { is: 'answer', status: 500, body: '' } : { is: 'none' });
  await write(behind(newer, { text: 'three', from: 'me', more: 5 }), behind(older, { text: 'four' }));
  await run.event('attempt-failed', ({ message }) => message.includes('answered 500'));
  server.trouble = () => ({ is: 'none' });
  await results.readUntil(({ records }) => records.length >= 4);

  await write(Buffer.from('no record'));
  await run.event('dead-lettered');
  await run.stop();
  await results.readOn();
  const read = avro<{ text: string }>({ type: 'record', name: 'Result', fields: [{ name: 'text', type: 'string' }] });
  // All bytes are ASCII.
  const texts = results.records.map(({ value }) => Buffer.from(value, 'latin1')).map((bytes) => read.read(bytes, 5, bytes.length).text);
  expect(texts).toEqual(['nobody | one after nothing', 'nobody || two after one', 'me | three after nothing', 'nobody ||| four after two']);
  const letters = new TopicReader(dead);
  await letters.readUntil(({ records }) => records.length >= 1);
  expect(letters.records.map(({ value }) => value)).toEqual(['no record']);
  expect(server.versions(`${output}-value`)).toHaveLength(1);
  expect(server.versions('state-of-results')).toHaveLength(1);
});
