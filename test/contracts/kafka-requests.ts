import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordBatchWriter } from '../../lib/format/record-batch-writer.ts';
import { endOfWholeBatches } from '../../lib/format/record-set-end.ts';
import type { Serde } from '../../lib/format/serde.ts';
import { batchesOf, stampBatch } from '../../lib/format/stamp-batches.ts';
import { connectKafka } from '../../lib/kafka/connect.ts';
import type { FetchedPartition, KafkaAnswer, KafkaRequests, ProducerIdentity } from '../../lib/ports/kafka-requests.ts';
import { retried, retriedAnswer } from '../../lib/ports/retry.ts';
import { newTopic, uniqueName, withAdmin } from '../support/topics.ts';

const clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const timing = { clock, random: { id: () => '', fraction: Math.random } };
/** The first transaction on a new broker waits for its log topic. */
const PATIENCE_MS = 20_000;

/** What the engine's requests get from a broker, of whichever release. `brokers` is called when the tests run. */
export function kafkaRequestsContract(brokers: () => string[]): void {
  let kafka: KafkaRequests;
  let other: KafkaRequests;

  const connect = (clientId: string) => connectKafka({ brokers: brokers(), clientId, clock });

  beforeAll(async () => {
    kafka = await connect('first');
    other = await connect('second');
  });

  afterAll(async () => {
    await kafka.close();
    await other.close();
  });

  const newId = () => uniqueName('requests');

  /** A topic whose leaders lead already: they are named a moment before. */
  async function topicOf(partitions: number): Promise<string> {
    const topic = await newTopic('requests', { partitions, at: brokers() });
    await kafka.offsets(topic, [...new Array(partitions).keys()], 'latest');
    return topic;
  }

  const answered = (request: () => Promise<KafkaAnswer>) =>
    retriedAnswer({ ...timing, deadlineMs: clock.elapsedMs() + PATIENCE_MS }, request);

  async function begin(transactionalId: string, timeoutMs = 60_000): Promise<ProducerIdentity> {
    const { answer, producerId, producerEpoch } = await retried({ ...timing, deadlineMs: clock.elapsedMs() + PATIENCE_MS }, () =>
      kafka.initProducerId(transactionalId, timeoutMs),
    );
    expect(answer).toBe('NONE');
    return { transactionalId, producerId, producerEpoch };
  }

  const utf8: Serde<string> = {
    name: 'utf8',
    write: (value, out) => out.utf8(value),
    read: (bytes, start, end) => bytes.toString('utf8', start, end),
  };

  /** One batch with these values, stamped for `who`. */
  function batchOf(who: ProducerIdentity, values: readonly string[], baseSequence = 0): Buffer {
    const writer = new RecordBatchWriter({ maxBatchBytes: 4_000_000 });
    // Not an old time: the broker starts a new segment when the markers' time is days ahead of the records', and deletes the old one.
    for (const value of values) writer.append(clock.now(), undefined, undefined, value, utf8);
    const bytes = Buffer.from(writer.finish());
    const [span] = batchesOf(bytes);
    if (span === undefined || span.end !== bytes.length) throw new Error('not one batch');
    stampBatch(bytes, 0, bytes.length, { producerId: BigInt(who.producerId), producerEpoch: who.producerEpoch, baseSequence });
    return bytes;
  }

  /** Opens the transaction's partition and sends one batch with these values to it. */
  async function write(who: ProducerIdentity, topic: string, partition: number, values: readonly string[]): Promise<void> {
    expect(await answered(() => kafka.addPartitions(who, [{ topic, partition }]))).toBe('NONE');
    const leader = (await kafka.leaders(topic))[partition] ?? -1;
    expect((await kafka.produce(who, leader, [{ topic, partition, batch: batchOf(who, values) }])).answer).toBe('NONE');
  }

  async function fetchOne(topic: string, partition: number, offset: number): Promise<FetchedPartition> {
    const [fetched] = await other.fetch([{ topic, partition, offset, maxBytes: 1_000_000 }], {
      maxBytes: 1_000_000,
      maxWaitMs: 100,
      minBytes: 1,
    });
    if (fetched === undefined) throw new Error('no answer for the range');
    return fetched;
  }

  describe('a transaction', () => {
    it('that one connection prepared is committed by another from its identity alone', async () => {
      const topic = await topicOf(1);
      const who = await begin(newId());
      await write(who, topic, 0, ['a', 'b']);
      expect((await fetchOne(topic, 0, 0)).records).toHaveLength(0);
      expect(await other.offsets(topic, [0], 'latest')).toEqual([0]);
      expect(await other.offsets(topic, [0], 'end')).toEqual([2]);
      expect(await answered(() => other.endTxn(who, true))).toBe('NONE');
      await expect.poll(async () => (await fetchOne(topic, 0, 0)).lastStableOffset).toBe(3);
      expect(batchesOf((await fetchOne(topic, 0, 0)).records).map(({ records }) => records)).toEqual([2, 1]);
    });

    it('whose commit is sent again is committed once and answers the same', async () => {
      const topic = await topicOf(1);
      const who = await begin(newId());
      await write(who, topic, 0, ['a']);
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await answered(() => other.endTxn(who, true))).toBe('NONE');
      expect(await other.offsets(topic, [0], 'latest')).toEqual([2]);
    });

    it('of a stale epoch is refused every request after InitProducerId', async () => {
      const topic = await topicOf(1);
      const stale = await begin(newId());
      await write(stale, topic, 0, ['never seen']);
      const fresh = await begin(stale.transactionalId);
      expect(fresh.producerEpoch).toBeGreaterThan(stale.producerEpoch);
      const leader = (await kafka.leaders(topic))[0] ?? -1;
      const refused = {
        addPartitions: await answered(() => kafka.addPartitions(stale, [{ topic, partition: 0 }])),
        produce: await kafka
          .produce(stale, leader, [{ topic, partition: 0, batch: batchOf(stale, ['zombie'], 1) }])
          .then(({ answer }) => answer),
        commit: await answered(() => kafka.endTxn(stale, true)),
        abort: await answered(() => kafka.endTxn(stale, false)),
      };
      for (const [request, answer] of Object.entries(refused)) expect([request, answer]).toEqual([request, 'INVALID_PRODUCER_EPOCH']);
    });

    it('reaches two partitions with one Produce request', async () => {
      const topic = await topicOf(2);
      const who = await begin(newId());
      const partitions = [0, 1].map((partition) => ({ topic, partition }));
      expect(await answered(() => kafka.addPartitions(who, partitions))).toBe('NONE');
      const [leader = -1] = await kafka.leaders(topic);
      const batches = partitions.map((at) => ({ ...at, batch: batchOf(who, [`to ${at.partition}`, 'and more']) }));
      expect((await kafka.produce(who, leader, batches)).answer).toBe('NONE');
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      await expect.poll(() => other.offsets(topic, [0, 1], 'latest')).toEqual([3, 3]);
    });

    it('takes batches of one partition that are under way together, in their order', async () => {
      const topic = await topicOf(1);
      const who = await begin(newId());
      expect(await answered(() => kafka.addPartitions(who, [{ topic, partition: 0 }]))).toBe('NONE');
      const [leader = -1] = await kafka.leaders(topic);
      const answers = [0, 1, 2, 3].map((sequence) =>
        kafka.produce(who, leader, [{ topic, partition: 0, batch: batchOf(who, [`${sequence}`], sequence) }]),
      );
      expect(await Promise.all(answers)).toMatchObject([0, 1, 2, 3].map((offset) => ({ answer: 'NONE', baseOffsets: [offset] })));
      expect(await answered(() => kafka.endTxn(who, false))).toBe('NONE');
    });

    it('with a timeout above what the broker allows is refused by name', async () => {
      const { answer } = await retried({ ...timing, deadlineMs: clock.elapsedMs() + PATIENCE_MS }, () =>
        kafka.initProducerId(newId(), 2_000_000_000),
      );
      expect(answer).toBe('INVALID_TRANSACTION_TIMEOUT');
    });

    it('gets the name of the error for a batch that is too large', async () => {
      const topic = await topicOf(1);
      const who = await begin(newId());
      expect(await answered(() => kafka.addPartitions(who, [{ topic, partition: 0 }]))).toBe('NONE');
      const [leader = -1] = await kafka.leaders(topic);
      const batch = batchOf(who, ['x'.repeat(2_000_000)]);
      expect((await kafka.produce(who, leader, [{ topic, partition: 0, batch }])).answer).toBe('MESSAGE_TOO_LARGE');
      expect(await answered(() => kafka.endTxn(who, false))).toBe('NONE');
    });
  });

  describe('Fetch', () => {
    it('ends at the last stable offset and lists the aborted transactions in what it read', async () => {
      const topic = await topicOf(1);
      const aborted = await begin(newId());
      await write(aborted, topic, 0, ['aborted']);
      expect(await answered(() => kafka.endTxn(aborted, false))).toBe('NONE');
      const committed = await begin(newId());
      await write(committed, topic, 0, ['committed', 'too']);
      expect(await answered(() => kafka.endTxn(committed, true))).toBe('NONE');
      const open = await begin(newId());
      await write(open, topic, 0, ['open']);
      await expect.poll(async () => (await fetchOne(topic, 0, 0)).lastStableOffset).toBe(5);
      const fetched = await fetchOne(topic, 0, 0);
      expect(fetched).toMatchObject({ answer: 'NONE', logStartOffset: 0, highWatermark: 6 });
      expect(fetched.aborted).toEqual([{ producerId: BigInt(aborted.producerId), firstOffset: 0 }]);
      expect(endOfWholeBatches(fetched.records, 0)).toBe(5);
      expect(await other.offsets(topic, [0], 'latest')).toEqual([5]);
      expect(await answered(() => kafka.endTxn(open, false))).toBe('NONE');
    });

    it('gives back the bytes that were produced, over ranges of several partitions', async () => {
      const topic = await topicOf(2);
      const who = await begin(newId());
      const [leader = -1] = await kafka.leaders(topic);
      expect(
        await answered(() =>
          kafka.addPartitions(
            who,
            [0, 1].map((partition) => ({ topic, partition })),
          ),
        ),
      ).toBe('NONE');
      const batches = [0, 1].map((partition) => ({ topic, partition, batch: batchOf(who, [`${partition}`, 'x'.repeat(900_000)]) }));
      expect(await kafka.produce(who, leader, batches)).toMatchObject({ answer: 'NONE', baseOffsets: [0, 0] });
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      await expect.poll(() => other.offsets(topic, [0, 1], 'latest')).toEqual([3, 3]);
      const ranges = [1, 0].map((partition) => ({ topic, partition, offset: 0, maxBytes: 2_000_000 }));
      const fetched = await other.fetch(ranges, { maxBytes: 4_000_000, maxWaitMs: 100, minBytes: 1 });
      expect(fetched.map(({ partition }) => partition)).toEqual([1, 0]);
      for (const { partition, records } of fetched) {
        const sent = batches[partition]?.batch ?? Buffer.alloc(0);
        // The broker fills in the base offset and the leader epoch: what the CRC covers is untouched.
        expect(records.subarray(17, sent.length).equals(sent.subarray(17))).toBe(true);
      }
    });

    it('behind the end of the log answers OFFSET_OUT_OF_RANGE', async () => {
      const topic = await topicOf(1);
      expect((await fetchOne(topic, 0, 100)).answer).toBe('OFFSET_OUT_OF_RANGE');
    });

    it('waits no longer than asked when there is nothing to read', async () => {
      const topic = await topicOf(1);
      await fetchOne(topic, 0, 0);
      const startedMs = performance.now();
      expect(await fetchOne(topic, 0, 0)).toMatchObject({ answer: 'NONE', lastStableOffset: 0 });
      expect(performance.now() - startedMs).toBeLessThan(5000);
    });
  });

  describe('topics', () => {
    it('that do not exist are a problem for a person, and are not created by asking', async () => {
      const topic = newId();
      for (const ask of [() => kafka.partitionCount(topic), () => kafka.offsets(topic, [0], 'latest')]) {
        await expect(ask()).rejects.toMatchObject({
          name: 'KafkaProblem',
          retriable: false,
          message: expect.stringContaining(`topic ${topic} does not exist on ${brokers().join(', ')}`),
        });
      }
      expect(await withAdmin((admin) => admin.listTopics(), brokers())).not.toContain(topic);
    });

    it('have an id, which is the same for all who ask, and another when they are made anew', async () => {
      const topic = await topicOf(1);
      const id = await kafka.topicId(topic);
      expect(id).toMatch(/^[\w-]{22}$/);
      expect([await other.topicId(topic), await kafka.topicId(topic, 'now')]).toEqual([id, id]);
      await withAdmin((admin) => admin.deleteTopics({ topics: [topic] }), brokers());
      await expect.poll(() => withAdmin((admin) => admin.listTopics(), brokers())).not.toContain(topic);
      await withAdmin(
        (admin) => admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] }),
        brokers(),
      );
      await expect.poll(() => kafka.topicId(topic, 'now').catch(() => id)).not.toBe(id);
      // Who has known the topic hears of it with its leaders, later.
      expect(await other.topicId(topic)).toBe(id);
    });

    it('that grew are seen with their new partitions', async () => {
      const topic = await topicOf(1);
      const quick = await connectKafka({ brokers: brokers(), clientId: 'quick', clock, metadataMaxAgeMs: 50 });
      expect(await quick.partitionCount(topic)).toBe(1);
      await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }), brokers());
      await expect.poll(() => quick.partitionCount(topic)).toBe(3);
      expect(await quick.offsets(topic, [2, 0], 'earliest')).toEqual([0, 0]);
      await quick.close();
    });

    it('that grew are read and written at once by a client that knew them before', async () => {
      const topic = await topicOf(1);
      expect([await other.partitionCount(topic), (await other.leaders(topic)).length]).toEqual([1, 1]);
      await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }), brokers());
      const fetched = await other.fetch([{ topic, partition: 2, offset: 0, maxBytes: 1_000 }], {
        maxBytes: 1_000,
        maxWaitMs: 10,
        minBytes: 1,
      });
      expect(fetched).toMatchObject([{ partition: 2, answer: 'NONE', lastStableOffset: 0 }]);
      expect(await other.offsets(topic, [1], 'latest')).toEqual([0]);
      expect((await other.leaders(topic, 3)).length).toBe(3);
    });

    it('and brokers tell the settings that they are asked for', async () => {
      const topic = await topicOf(1);
      expect(await kafka.topicConfig(topic, ['max.message.bytes', 'nonsense'])).toEqual(new Map([['max.message.bytes', '1048588']]));
      const settings = await kafka.brokerConfig(['transaction.max.timeout.ms', 'nonsense']);
      expect([...settings.keys()]).toEqual(['transaction.max.timeout.ms']);
      expect(Number((await kafka.brokerConfig(['socket.request.max.bytes'])).get('socket.request.max.bytes'))).toBe(104_857_600);
      expect(Number(settings.get('transaction.max.timeout.ms'))).toBeGreaterThan(0);
    });
  });

  describe('offsets of a group', () => {
    it('are read back as committed, and undefined where there are none', async () => {
      const topic = await topicOf(3);
      const group = newId();
      const offsets = [
        { partition: 0, offset: 5_000_000_000 },
        { partition: 2, offset: 0 },
      ];
      expect(await answered(() => kafka.commitGroupOffsets(group, topic, offsets, 'of epoch 7'))).toBe('NONE');
      expect(await other.groupOffsets(group, topic, [2, 1, 0])).toEqual([
        { offset: 0, metadata: 'of epoch 7' },
        undefined,
        { offset: 5_000_000_000, metadata: 'of epoch 7' },
      ]);
    });
  });
}
