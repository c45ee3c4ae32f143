import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectKafka } from '../../lib/kafka/connect.ts';
import type { KafkaAnswer, KafkaRequests, ProducerIdentity } from '../../lib/ports/kafka-requests.ts';
import { decodeBatch, encodeBatch, splitBatches } from '../simulation/models/wire.ts';
import { newTopic, uniqueName } from '../support/topics.ts';

export interface KafkaUnderTest {
  readonly kafka: KafkaRequests;
  /** @param partitions @default 1 */
  newTopic(partitions?: number): Promise<string>;
  /** A name that nobody has used. */
  newName(): string;
  readonly nowMs: () => number;
  sleep(ms: number): Promise<void>;
  /** How long after its timeout an open transaction may be found, in milliseconds. */
  readonly timeoutScanMs: number;
}

/** Long enough for the first transaction on a new broker. */
const PATIENCE_MS = 20_000;
const PASSING = [
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NO_ANSWER',
];
const FENCED = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE'];

/** A real broker, whose setting transaction.abort.timed.out.transaction.cleanup.interval.ms is 500. */
export async function brokerUnderTest(brokers: string[]): Promise<KafkaUnderTest> {
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const kafka = await connectKafka({
    brokers,
    clientId: 'contract',
    clock: { now: () => Date.now(), elapsedMs: () => performance.now(), sleep },
  });
  return {
    kafka,
    newTopic: async (partitions = 1) => {
      const topic = await newTopic('transactions', { partitions, at: brokers });
      await kafka.offsets(topic, [...new Array(partitions).keys()], 'latest');
      return topic;
    },
    newName: () => uniqueName('transactions'),
    nowMs: () => Date.now(),
    timeoutScanMs: 500,
    sleep,
  };
}

/** The committed records' values, once the last stable offset has reached `end`. */
export async function committedValues(under: KafkaUnderTest, topic: string, end: number, partition = 0): Promise<string[]> {
  const untilMs = under.nowMs() + PATIENCE_MS;
  for (;;) {
    const [fetched] = await under.kafka.fetch([{ topic, partition, offset: 0, maxBytes: 2_000_000 }], {
      maxBytes: 2_000_000,
      maxWaitMs: 100,
      minBytes: 1,
    });
    if (fetched !== undefined && fetched.lastStableOffset >= end) {
      const fates = new Map<bigint, 'commit' | 'abort'>();
      // From the end: a batch has the fate that its producer's next marker says.
      const backwards = splitBatches(fetched.records).toReversed();
      return backwards
        .map((bytes) => decodeBatch(bytes))
        .map(({ control, transactional, producerId, content }) => {
          if (control !== undefined) fates.set(producerId, control);
          return control === undefined && (!transactional || fates.get(producerId) === 'commit')
            ? content.map(({ value }) => String(value))
            : [];
        })
        .toReversed()
        .flat();
    }
    if (under.nowMs() > untilMs) throw new Error(`the last stable offset of ${topic} stays at ${fetched?.lastStableOffset}`);
    await under.sleep(5);
  }
}

/**
 * What the transaction logic builds on: what a broker does with transactional requests. It runs against the simulation's
 * model and against real brokers, so that the one is known to behave as the other.
 */
export function kafkaTransactionsContract(open: () => Promise<KafkaUnderTest>): void {
  let under: KafkaUnderTest;
  let kafka: KafkaRequests;

  beforeAll(async () => {
    under = await open();
    kafka = under.kafka;
  });

  afterAll(() => kafka?.close());

  async function settled<T>(request: () => Promise<T>, answerOf: (result: T) => KafkaAnswer): Promise<T> {
    const untilMs = under.nowMs() + PATIENCE_MS;
    for (;;) {
      const result = await request();
      if (!PASSING.includes(answerOf(result)) || under.nowMs() > untilMs) return result;
      await under.sleep(5);
    }
  }

  const answered = (request: () => Promise<KafkaAnswer>) => settled(request, (answer) => answer);

  async function begin(transactionalId: string, timeoutMs = 60_000): Promise<ProducerIdentity> {
    const { answer, producerId, producerEpoch } = await settled(
      () => kafka.initProducerId(transactionalId, timeoutMs),
      (given) => given.answer,
    );
    expect(answer).toBe('NONE');
    return { transactionalId, producerId, producerEpoch };
  }

  const batch = (who: ProducerIdentity, values: readonly string[], baseSequence = 0) =>
    encodeBatch(
      {
        producerId: BigInt(who.producerId),
        producerEpoch: who.producerEpoch,
        baseSequence,
        transactional: true,
        timestampMs: under.nowMs(),
      },
      values,
    );

  async function send(who: ProducerIdentity, topic: string, bytes: Buffer): Promise<KafkaAnswer> {
    const leader = (await kafka.leaders(topic))[0] ?? -1;
    return (await kafka.produce(who, leader, [{ topic, partition: 0, batch: bytes }])).answer;
  }

  async function write(who: ProducerIdentity, topic: string, values: readonly string[]): Promise<void> {
    expect(await answered(() => kafka.addPartitions(who, [{ topic, partition: 0 }]))).toBe('NONE');
    expect(await send(who, topic, batch(who, values))).toBe('NONE');
  }

  const committed = (topic: string, end: number) => committedValues(under, topic, end);

  describe('InitProducerId', () => {
    it('gives each time a higher epoch of the same producer', async () => {
      const id = under.newName();
      const first = await begin(id);
      const second = await begin(id);
      expect(second.producerId).toBe(first.producerId);
      expect(second.producerEpoch).toBeGreaterThan(first.producerEpoch);
    });

    it('aborts what is open, and what was prepared by another process', async () => {
      const topic = await under.newTopic();
      const first = await begin(under.newName());
      await write(first, topic, ['lost']);
      await begin(first.transactionalId);
      expect(await committed(topic, 2)).toEqual([]);
    });

    it('fences every request of the identity before', async () => {
      const topic = await under.newTopic();
      const stale = await begin(under.newName());
      await write(stale, topic, ['lost']);
      await begin(stale.transactionalId);
      expect(FENCED).toContain(await answered(() => kafka.addPartitions(stale, [{ topic, partition: 0 }])));
      expect(FENCED).toContain(await send(stale, topic, batch(stale, ['zombie'], 1)));
      expect(FENCED).toContain(await answered(() => kafka.endTxn(stale, true)));
      expect(FENCED).toContain(await answered(() => kafka.endTxn(stale, false)));
      expect(await committed(topic, 2)).toEqual([]);
    });
  });

  describe('a transaction', () => {
    it('shows its records when it is committed, and not before', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a', 'b']);
      expect(await committed(topic, 0)).toEqual([]);
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await committed(topic, 3)).toEqual(['a', 'b']);
    });

    it('that is aborted shows nothing', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['never']);
      expect(await answered(() => kafka.endTxn(who, false))).toBe('NONE');
      expect(await committed(topic, 2)).toEqual([]);
    });

    it('answers a repeated commit OK, and a repeated abort too, and never the other', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a']);
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await answered(() => kafka.endTxn(who, false))).toBe('INVALID_TXN_STATE');
      expect(await committed(topic, 2)).toEqual(['a']);
      const next = await begin(who.transactionalId);
      await write(next, topic, ['b']);
      expect(await answered(() => kafka.endTxn(next, false))).toBe('NONE');
      expect(await answered(() => kafka.endTxn(next, false))).toBe('NONE');
      expect(await answered(() => kafka.endTxn(next, true))).toBe('INVALID_TXN_STATE');
    });

    it('that was never begun cannot be committed', async () => {
      const who = await begin(under.newName());
      expect(await answered(() => kafka.endTxn(who, true))).toBe('INVALID_TXN_STATE');
    });

    it('of an id that nobody knows is refused', async () => {
      const who = { transactionalId: under.newName(), producerId: '4242', producerEpoch: 0 };
      expect(FENCED).toContain(await answered(() => kafka.endTxn(who, true)));
    });

    it('is begun again by a late AddPartitions of the same identity, empty, and ends once more', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a']);
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await answered(() => kafka.addPartitions(who, [{ topic, partition: 0 }]))).toBe('NONE');
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await committed(topic, 2)).toEqual(['a']);
    });

    it('that is open for longer than its timeout is aborted, and its producer fenced', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName(), 1_000);
      await write(who, topic, ['too late']);
      await under.sleep(1_000 + under.timeoutScanMs * 2);
      expect(await committed(topic, 2)).toEqual([]);
      expect(FENCED).toContain(await answered(() => kafka.endTxn(who, true)));
    });
  });

  describe('the log', () => {
    const openIn = async (topic: string, { producerId }: ProducerIdentity) => {
      const [leader = -1] = await kafka.leaders(topic);
      const { answer, producers } = await kafka.describeProducers(leader, topic, [0]);
      expect(answer).toBe('NONE');
      return producers.find((one) => one.producerId === producerId);
    };
    const behind = async (topic: string, offset: number, isolation: 'read_committed' | 'read_uncommitted' = 'read_committed') => {
      const limits = { maxBytes: 16_384, maxWaitMs: 0, minBytes: 0, isolation };
      const [fetched] = await kafka.fetch([{ topic, partition: 0, offset, maxBytes: 16_384 }], limits);
      if (fetched === undefined) throw new Error('no answer');
      return fetched;
    };

    it('says of an open transaction where it begins, and of one that ended that it is over', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a', 'b']);
      expect(await openIn(topic, who)).toMatchObject({
        producerEpoch: who.producerEpoch,
        openSince: 0,
        lastTimestampMs: expect.any(Number),
      });
      expect(await behind(topic, 2)).toMatchObject({ answer: 'NONE', lastStableOffset: 0, aborted: [] });
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      await committed(topic, 3);
      expect(await openIn(topic, who)).toMatchObject({ openSince: undefined });
    });

    it('lists an aborted transaction to those who read from behind its last record, with its control record', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a', 'b']);
      expect(await answered(() => kafka.endTxn(who, false))).toBe('NONE');
      await committed(topic, 3);
      const fetched = await behind(topic, 2);
      expect(fetched.aborted).toEqual([{ producerId: BigInt(who.producerId), firstOffset: 0 }]);
      expect(splitBatches(fetched.records).map((batch) => decodeBatch(batch).control)).toEqual(['abort']);
    });

    it('lists nothing to those who read from the last stable offset itself, where the next open transaction begins', async () => {
      const topic = await under.newTopic();
      const [aborted, open] = [await begin(under.newName()), await begin(under.newName())];
      await write(aborted, topic, ['a']);
      await write(open, topic, ['b']);
      expect(await answered(() => kafka.endTxn(aborted, false))).toBe('NONE');
      await committed(topic, 1);
      expect(await behind(topic, 1)).toMatchObject({ answer: 'NONE', lastStableOffset: 1, aborted: [], records: Buffer.alloc(0) });
      const uncommitted = splitBatches((await behind(topic, 1, 'read_uncommitted')).records).map((batch) => decodeBatch(batch));
      expect(uncommitted.map(({ control, producerId }) => [control, String(producerId)])).toEqual([
        [undefined, open.producerId],
        ['abort', aborted.producerId],
      ]);
      expect(await answered(() => kafka.endTxn(open, false))).toBe('NONE');
    });

    it('answers where a batch was stored, also when it is sent again', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a', 'b']);
      const [leader = -1] = await kafka.leaders(topic);
      const again = await kafka.produce(who, leader, [{ topic, partition: 0, batch: batch(who, ['c'], 2) }]);
      expect(again).toMatchObject({ answer: 'NONE', baseOffsets: [2] });
      const twice = await kafka.produce(who, leader, [{ topic, partition: 0, batch: batch(who, ['c'], 2) }]);
      expect(twice).toMatchObject({ answer: 'NONE', baseOffsets: [2] });
      expect(await answered(() => kafka.endTxn(who, false))).toBe('NONE');
    });
  });

  describe('a record batch', () => {
    it('that is sent twice is stored once', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a', 'b']);
      expect(await send(who, topic, batch(who, ['a', 'b']))).toBe('NONE');
      expect(await send(who, topic, batch(who, ['c'], 2))).toBe('NONE');
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await committed(topic, 4)).toEqual(['a', 'b', 'c']);
    });

    it('that leaves out a sequence number is refused', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      await write(who, topic, ['a']);
      expect(await send(who, topic, batch(who, ['c'], 2))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    });

    it('for a partition that the transaction does not name is refused', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      expect(['INVALID_TXN_STATE', 'NOT_ENOUGH_REPLICAS']).toContain(await send(who, topic, batch(who, ['a'])));
    });
  });

  describe('DescribeTransactions', () => {
    const stateOf = async (id: string) => (await kafka.describeTransactions([id]))[0]?.state;

    it('tells an open transaction from one that is over, and from an id that was never used', async () => {
      const topic = await under.newTopic();
      const who = await begin(under.newName());
      expect(await stateOf(who.transactionalId)).toBe('Empty');
      await write(who, topic, ['a']);
      expect((await kafka.describeTransactions([who.transactionalId]))[0]).toMatchObject({
        state: 'Ongoing',
        producerId: who.producerId,
        producerEpoch: who.producerEpoch,
        partitions: [{ topic, partition: 0 }],
      });
      expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
      expect(await committed(topic, 2)).toEqual(['a']);
      await under.sleep(200);
      expect(await stateOf(who.transactionalId)).toBe('CompleteCommit');
      expect(await stateOf(under.newName())).toBe('unknown');
    });
  });

  describe('records outside a transaction', () => {
    it('are committed as they are acknowledged, and come again when they are sent again', async () => {
      const topic = await under.newTopic();
      const nobody = { producerId: -1n, producerEpoch: -1, baseSequence: -1, transactional: false, timestampMs: under.nowMs() };
      const sendPlain = async (value: string) =>
        (
          await kafka.produce(undefined, (await kafka.leaders(topic))[0] ?? -1, [
            { topic, partition: 0, batch: encodeBatch(nobody, [value]) },
          ])
        ).answer;
      expect(await answered(() => sendPlain('a'))).toBe('NONE');
      expect(await answered(() => sendPlain('a'))).toBe('NONE');
      expect(await answered(() => sendPlain('b'))).toBe('NONE');
      expect(await committed(topic, 3)).toEqual(['a', 'a', 'b']);
    });
  });

  describe('the offset at a time', () => {
    it('is that of the first record which is not older, below the last stable offset, and none where all are older', async () => {
      const topic = await under.newTopic();
      const first = await begin(under.newName());
      await write(first, topic, ['a', 'b']);
      expect(await answered(() => kafka.endTxn(first, true))).toBe('NONE');
      await committed(topic, 3);
      await under.sleep(20);
      const laterMs = under.nowMs();
      await under.sleep(20);
      expect(await kafka.offsetsAtTime(topic, [0], 0)).toEqual([0]);
      expect(await kafka.offsetsAtTime(topic, [0], laterMs)).toEqual([undefined]);
      const second = await begin(first.transactionalId);
      await write(second, topic, ['c']);
      expect(await kafka.offsetsAtTime(topic, [0], laterMs)).toEqual([undefined]);
      expect(await answered(() => kafka.endTxn(second, true))).toBe('NONE');
      await committed(topic, 5);
      expect(await kafka.offsetsAtTime(topic, [0], laterMs)).toEqual([3]);
    });
  });

  describe('the offsets of a group', () => {
    it('are those that were committed to it, and none for other partitions', async () => {
      const topic = await under.newTopic();
      const group = under.newName();
      expect(await kafka.groupOffsets(group, topic, [0])).toEqual([undefined]);
      expect(await answered(() => kafka.commitGroupOffsets(group, topic, [{ partition: 0, offset: 42 }], 'so far'))).toBe('NONE');
      expect(await kafka.groupOffsets(group, topic, [0])).toEqual([{ offset: 42, metadata: 'so far' }]);
    });
  });

  describe('the last stable offset', () => {
    it('stays below the first open transaction, whatever was committed behind it', async () => {
      const topic = await under.newTopic();
      const slow = await begin(under.newName());
      const quick = await begin(under.newName());
      await write(slow, topic, ['first']);
      await write(quick, topic, ['second']);
      expect(await answered(() => kafka.endTxn(quick, true))).toBe('NONE');
      await under.sleep(50);
      expect(await kafka.offsets(topic, [0], 'latest')).toEqual([0]);
      expect(await answered(() => kafka.endTxn(slow, true))).toBe('NONE');
      expect(await committed(topic, 4)).toEqual(['first', 'second']);
    });
  });
}
