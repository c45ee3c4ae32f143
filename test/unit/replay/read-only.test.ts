import { expect, it } from 'vitest';
import type { KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import { overlayOf, readOnlyKafka, readOnlyTargets, WroteError } from '../../../lib/replay/read-only.ts';

it('blobs are written to memory, found there, and looked for below only when they were not', async () => {
  const asked: string[] = [];
  const blobs = overlayOf({
    get: async (name) => {
      asked.push(name);
      return Buffer.from('below');
    },
  });
  await blobs.put('job/a', Buffer.from('on'), Buffer.from('top'));
  expect(`${await blobs.get('job/a')} ${await blobs.get('job/a', { start: 2, end: 4 })} ${await blobs.get('job/b')}`).toBe(
    'ontop to below',
  );
  expect(asked).toEqual(['job/b']);
  (await blobs.get('job/a')).fill(0);
  expect(`${await blobs.get('job/a')}`).toBe('ontop');
  blobs.keepOnly(new Set());
  expect(`${await blobs.get('job/a')}`).toBe('below');
  await expect(blobs.delete(['job/a'])).rejects.toThrow(WroteError);
  expect(() => blobs.list('job/')).toThrow(WroteError);
});

it('of Kafka every request but those that read throws, also one that nobody thought of', async () => {
  const all = new Proxy({}, { get: () => async () => 'asked' }) as KafkaRequests;
  const kafka = readOnlyKafka(all) as unknown as Record<string, () => unknown>;
  for (const name of ['fetch', 'partitionCount', 'topicId', 'offsets', 'leaders', 'brokerConfig', 'topicConfig'])
    expect(await kafka[name]?.(), name).toBe('asked');
  for (const name of ['initProducerId', 'addPartitions', 'produce', 'endTxn', 'commitGroupOffsets', 'createTopic', 'aLaterRequest'])
    expect(() => kafka[name]?.(), name).toThrow(WroteError);
});

it('of what sinks write to the keys of tables are asked for, and nothing else', async () => {
  const keys = { partition: { name: 'id', type: 'S' } } as const;
  const targets = readOnlyTargets({
    uploads: () => Promise.reject(new Error('asked')),
    items: async () => ({ keysOf: async () => keys, stateOf: async () => undefined, write: async () => 'written' }),
  });
  const items = await targets.items();
  expect(await items.keysOf('table')).toBe(keys);
  await expect(items.write({} as never)).rejects.toThrow(WroteError);
  const uploads = await targets.uploads('s3://bucket');
  expect(await uploads.open()).toEqual([]);
  await expect(uploads.begin('key', 'text')).rejects.toThrow(WroteError);
});
