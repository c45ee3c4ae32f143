import { afterEach, describe, expect, it } from 'vitest';
import { connectKafka, type KafkaOptions } from '../../../lib/kafka/connect.ts';
import { newEncoder } from '../../../lib/kafka/kafkajs-internals.ts';
import type { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { coordinatorResponse, endTxnResponse, type FakeBroker, KEY, metadataResponse, type Reply, startFakeBroker } from './fake-broker.ts';

const who = { transactionalId: 'job-1-sink-0-1', producerId: '7', producerEpoch: 3 };

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A client of one broker that answers by request key; a list is answered from the front, its last one for ever. */
async function world(
  replies: Readonly<Record<number, (broker: FakeBroker) => readonly Reply[]>>,
  more: Partial<KafkaOptions & { newest: Readonly<Record<number, number>> }> = {},
) {
  const asked: number[] = [];
  const broker: FakeBroker = await startFakeBroker({
    newest: more.newest ?? {},
    reply({ key }) {
      asked.push(key);
      const list = replies[key]?.(broker) ?? (key === KEY.findCoordinator ? [coordinatorResponse(broker.port)] : ['close' as const]);
      const nth = asked.filter((other) => other === key).length - 1;
      return list[Math.min(nth, list.length - 1)] ?? 'close';
    },
  });
  open.push(broker);
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    elapsedMs: () => nowMs - 1_000,
    async sleep(ms: number) {
      nowMs += ms;
    },
  };
  const lines: string[] = [];
  const kafka = await connectKafka({
    brokers: [broker.address],
    clientId: 'tests',
    clock,
    requestTimeoutMs: 500,
    log: (line) => lines.push(line),
    ...more,
  });
  open.push(kafka);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const count = (key: number) => asked.filter((other) => other === key).length;
  return { broker, kafka, count, pass, lines };
}

async function problemOf(request: Promise<unknown>): Promise<KafkaProblem> {
  return request.then(
    () => expect.fail('the request succeeded'),
    (error: KafkaProblem) => error,
  );
}

describe('coordinators', () => {
  it('are remembered', async () => {
    const { kafka, count } = await world({ [KEY.endTxn]: () => [endTxnResponse(0)] });
    await kafka.endTxn(who, true);
    await kafka.endTxn(who, true);
    expect(count(KEY.findCoordinator)).toBe(1);
  });

  it('are looked for again for another id', async () => {
    const { kafka, count } = await world({ [KEY.endTxn]: () => [endTxnResponse(0)] });
    await kafka.endTxn(who, true);
    await kafka.endTxn({ ...who, transactionalId: 'job-1-sink-0-0' }, true);
    expect(count(KEY.findCoordinator)).toBe(2);
  });

  it.each([
    ['NOT_COORDINATOR', endTxnResponse(16)],
    ['COORDINATOR_NOT_AVAILABLE', endTxnResponse(15)],
    ['NO_ANSWER', 'close'],
  ] as const)('are forgotten after %s, and the request is not repeated', async (answer, reply) => {
    const { kafka, count } = await world({ [KEY.endTxn]: () => [reply, endTxnResponse(0)] });
    expect(await kafka.endTxn(who, true)).toBe(answer);
    expect(count(KEY.endTxn)).toBe(1);
    expect(await kafka.endTxn(who, true)).toBe('NONE');
    expect(count(KEY.findCoordinator)).toBe(2);
  });

  it.each([
    [51, 'CONCURRENT_TRANSACTIONS'],
    [47, 'INVALID_PRODUCER_EPOCH'],
    [90, 'PRODUCER_FENCED'],
    [48, 'INVALID_TXN_STATE'],
    [49, 'INVALID_PRODUCER_ID_MAPPING'],
    [14, 'COORDINATOR_LOAD_IN_PROGRESS'],
    [-1, 'UNKNOWN_SERVER_ERROR'],
    [999, 'ERROR_999'],
  ])('error %i is the answer %s, sent once, and the coordinator stays', async (code, answer) => {
    const { kafka, count } = await world({ [KEY.endTxn]: () => [endTxnResponse(code)] });
    expect(await kafka.endTxn(who, true)).toBe(answer);
    expect([count(KEY.endTxn), count(KEY.findCoordinator)]).toEqual([1, 1]);
    await kafka.endTxn(who, true);
    expect(count(KEY.findCoordinator)).toBe(1);
  });

  it.each([
    [15, 'COORDINATOR_NOT_AVAILABLE'],
    [14, 'COORDINATOR_NOT_AVAILABLE'],
    [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
  ])('FindCoordinator that fails with error %i answers %s', async (code, answer) => {
    const { kafka, count } = await world({ [KEY.findCoordinator]: ({ port }) => [coordinatorResponse(port, code)] });
    expect(await kafka.endTxn(who, true)).toBe(answer);
    expect(count(KEY.endTxn)).toBe(0);
  });

  it('FindCoordinator without an answer answers NO_ANSWER', async () => {
    const { kafka } = await world({ [KEY.findCoordinator]: () => ['close'] });
    expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
  });
});

describe('topics', () => {
  it('are asked about again when what is known is older than ONCEFLOW_PARTITION_DISCOVERY_INTERVAL_MS, not before, so that new partitions are seen', async () => {
    const { kafka, count, pass } = await world(
      { [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1]), metadataResponse(port, 'in', [1, 1, 1])] },
      { metadataMaxAgeMs: 10_000 },
    );
    expect(await kafka.partitionCount('in')).toBe(1);
    pass(9_999);
    expect(await kafka.partitionCount('in')).toBe(1);
    expect(count(KEY.metadata)).toBe(1);
    pass(1);
    expect(await kafka.partitionCount('in')).toBe(3);
  });

  it('are asked about again after forgetLeaders', async () => {
    const { kafka } = await world({ [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1]), metadataResponse(port, 'in', [2])] });
    expect(await kafka.leaders('in')).toEqual([1]);
    kafka.forgetLeaders('in');
    expect(await kafka.leaders('in')).toEqual([2]);
  });

  it('are asked about once by many at a time', async () => {
    const { kafka, count } = await world({ [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])] });
    await Promise.all([kafka.leaders('in'), kafka.partitionCount('in'), kafka.leaders('in')]);
    expect(count(KEY.metadata)).toBe(1);
  });

  it('with a leader that is being elected are asked about again next time', async () => {
    const { kafka } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1, -1]), metadataResponse(port, 'in', [1, 1])],
    });
    expect(await kafka.leaders('in')).toEqual([1, -1]);
    expect(await kafka.leaders('in')).toEqual([1, 1]);
  });

  it('that are known with fewer partitions than one of them is asked for have grown, and are asked about again', async () => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [
        metadataResponse(port, 'in', [1]),
        metadataResponse(port, 'in', [1]),
        metadataResponse(port, 'in', [1, 1]),
      ],
    });
    expect(await kafka.leaders('in')).toEqual([1]);
    // The broker that is asked hears of it a little later.
    expect(await kafka.leaders('in', 2)).toEqual([1, 1]);
    expect(await kafka.leaders('in', 2)).toEqual([1, 1]);
    expect(count(KEY.metadata)).toBe(3);
  });

  it('that have fewer partitions than somebody has seen have shrunk when this lasts: what is there is told', async () => {
    const { kafka } = await world({ [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])] });
    expect(await kafka.leaders('in', 3)).toEqual([1]);
  });

  it('that do not exist need a person, who is told the topic, the brokers and the options', async () => {
    const { broker, kafka } = await world({ [KEY.metadata]: ({ port }) => [metadataResponse(port, 'flink_kafka', [], 3)] });
    const problem = await problemOf(kafka.leaders('flink_kafka'));
    expect(problem).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false });
    expect(problem.message).toContain(`topic flink_kafka does not exist on ${broker.address}; create it`);
    expect(problem.message).toContain('ONCEFLOW_TOPICS');
  });

  it('that were created a moment ago are found though the broker did not know them at first', async () => {
    const { kafka } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [], 3), metadataResponse(port, 'in', [1])],
    });
    expect(await kafka.leaders('in')).toEqual([1]);
  });

  it('are never created by asking for them', async () => {
    const { broker, kafka } = await world({ [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])] });
    await kafka.leaders('in');
    expect(broker.received[0]?.body.toString('hex')).toBe(`02${'00'.repeat(16)}03696e0000000000`);
  });

  it('whose metadata is refused need an ACL, and the problem says which for whom', async () => {
    const { kafka } = await world({ [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [], 29)] });
    const problem = await problemOf(kafka.leaders('in'));
    expect(problem).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED', retriable: false });
    expect(problem.message).toMatch(/the anonymous principal.*Grant.*READ.*on topic in/);
  });
});

describe('Fetch', () => {
  const range = { topic: 'in', partition: 0, offset: 5, maxBytes: 100 };
  const limits = { maxBytes: 100, maxWaitMs: 10, minBytes: 1 };
  const fetchResponse = (error: number) => {
    const encoder = newEncoder().writeInt32(0).writeInt16(0).writeInt32(0).writeInt32(1).writeString('in').writeInt32(1);
    return encoder.writeInt32(0).writeInt16(error).writeInt64(-1).writeInt64(-1).writeInt64(-1).writeInt32(-1).writeInt32(-1).writeInt32(-1)
      .buffer;
  };

  it('without an answer looks for the leader again next time', async () => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])],
      [KEY.fetch]: () => ['close', fetchResponse(0)],
    });
    expect((await kafka.fetch([range], limits)).map((one) => one.answer)).toEqual(['NO_ANSWER']);
    expect((await kafka.fetch([range], limits)).map((one) => one.answer)).toEqual(['NONE']);
    expect(count(KEY.metadata)).toBe(2);
  });

  it.each([
    ['whose leader moves', 6],
    ['that its leader does not know yet', 3],
    ['whose leader is being elected', 5],
  ])('of a partition %s asks again, of the leader that it has then, and fails nobody', async (_what, error) => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])],
      [KEY.fetch]: () => [fetchResponse(error), fetchResponse(error), fetchResponse(0)],
    });
    expect((await kafka.fetch([range], limits)).map((one) => one.answer)).toEqual(['NONE']);
    expect([count(KEY.metadata), count(KEY.fetch)]).toEqual([3, 3]);
  });

  /** What a client that is over its quota gets: no partition, and how long to wait. */
  const throttled = (ms: number) => newEncoder().writeInt32(ms).writeInt16(0).writeInt32(0).writeInt32(0).buffer;

  it('that was throttled is asked again when the wait is over, and fails nobody', async () => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])],
      [KEY.fetch]: () => [throttled(60), throttled(40), fetchResponse(0)],
    });
    const beganMs = performance.now();
    expect((await kafka.fetch([range], limits)).map((one) => one.answer)).toEqual(['NONE']);
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(95);
    expect([count(KEY.metadata), count(KEY.fetch)]).toEqual([1, 3]);
  });

  it('that is throttled for ever is not asked for ever', async () => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])],
      [KEY.fetch]: () => Array.from({ length: 30 }, () => throttled(1)),
    });
    expect((await kafka.fetch([range], limits)).map((one) => one.answer)).toEqual(['NO_ANSWER']);
    expect(count(KEY.fetch)).toBe(10);
  });

  it('asks again only for the partitions that need it, and gives them up after a moment', async () => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1, -1])],
      [KEY.fetch]: () => [fetchResponse(0)],
    });
    const fetched = await kafka.fetch([range, { ...range, partition: 1 }], limits);
    expect(fetched.map(({ answer }) => answer)).toEqual(['NONE', 'LEADER_NOT_AVAILABLE']);
    expect(count(KEY.fetch)).toBe(1);
  });

  it('asks again no longer than whoever asked has time, so that it is answered', async () => {
    const { kafka, count } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1])],
      [KEY.fetch]: () => Array.from({ length: 9 }, () => fetchResponse(3)),
    });
    // 100 ms from when the test's clock begins: for pauses of 20 and 40 ms, and not for one of 80.
    const fetched = await kafka.fetch([range], { ...limits, untilMs: -900 });
    expect(fetched.map(({ answer }) => answer)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
    expect(count(KEY.fetch)).toBe(3);
  });

  it('answers for every range, in their order, also for partitions without a leader and for those that do not exist', async () => {
    const { kafka } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, 'in', [1, -1])],
      [KEY.fetch]: () => [fetchResponse(1)],
    });
    const fetched = await kafka.fetch([{ ...range, partition: 7 }, { ...range, partition: 1 }, range], limits);
    expect(fetched.map(({ partition, answer }) => [partition, answer])).toEqual([
      [7, 'UNKNOWN_TOPIC_OR_PARTITION'],
      [1, 'LEADER_NOT_AVAILABLE'],
      [0, 'OFFSET_OUT_OF_RANGE'],
    ]);
  });
});

describe('refusals', () => {
  it('of transactional requests are answers, and the log says which ACL is missing', async () => {
    const { kafka, lines } = await world({ [KEY.endTxn]: () => [endTxnResponse(53)] });
    expect(await kafka.endTxn(who, true)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
    expect(lines).toEqual([expect.stringMatching(/WRITE and DESCRIBE on transactional id job-1-sink-0-1/)]);
  });

  it('of settings are problems that name the ACL', async () => {
    const { kafka } = await world({
      [KEY.metadata]: ({ port }) => [metadataResponse(port, '', [])],
      [KEY.describeConfigs]: () => [
        newEncoder().writeInt32(0).writeInt32(1).writeInt16(31).writeString(null).writeInt8(4).writeString('1').writeInt32(0).buffer,
      ],
    });
    const problem = await problemOf(kafka.brokerConfig(['transaction.max.timeout.ms']));
    expect(problem).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED', retriable: false });
    expect(problem.message).toContain('DESCRIBE_CONFIGS on the cluster');
  });
});

describe('old brokers', () => {
  it('without OffsetFetch v7 are named, with the version that is needed', async () => {
    const { broker, kafka } = await world({}, { newest: { [KEY.offsetFetch]: 5 } });
    const problem = await problemOf(kafka.offsetFetch('group', { topic: 'out', partition: 0 }));
    expect(problem).toMatchObject({ code: 'UNSUPPORTED_VERSION', retriable: false });
    expect(problem.message).toContain(`broker ${broker.address} knows versions 0 to 5: OffsetFetch version 7 is needed`);
    expect(problem.message).toContain('2.5');
  });
});
