import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectKafka, type KafkaOptions } from '../../../lib/kafka/connect.ts';
import { newEncoder } from '../../../lib/kafka/kafkajs-internals.ts';
import {
  clusterMetadata,
  coordinatorResponse,
  endTxnResponse,
  type FakeBroker,
  KEY,
  produceResponse,
  type Reply,
  startFakeBroker,
} from './fake-broker.ts';

/** A test that waits for it fails. */
const NEVER_MS = 60_000;
const TOPIC = 'out';
/** For the leader of a topic that a broker does not know. */
const UNHEARD_OF = -2;
const UNKNOWN_TOPIC = 3;
const NOT_LEADER = 6;
const NO_COORDINATOR = 15;
const NOT_COORDINATOR = 16;
const batches = [{ topic: TOPIC, partition: 0, batch: Buffer.from([1]) }];
const whoOf = (transactionalId: string) => ({ transactionalId, producerId: '7', producerEpoch: 3 });

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Who leads every partition of the topic and coordinates every id, since which leader epoch. */
interface View {
  readonly leader: number;
  readonly epoch: number;
  /** Of the topic. @default it has none */
  readonly topicId?: string;
}

/**
 * Three brokers, ids 1 to 3, and a client that was given the addresses of all. What each broker believes is in `views`: one that
 * is cut off from the others keeps what it had. Who leads carries out what it is sent, others refuse it.
 */
async function threeBrokers(more: Partial<KafkaOptions> = {}) {
  const views = new Map<number, View>([1, 2, 3].map((id) => [id, { leader: 1, epoch: 1 }]));
  /** Requests by broker, in the order in which they came. */
  const came: { readonly id: number; readonly key: number }[] = [];
  const brokers = new Map<number, FakeBroker>();
  const stuck = new Map<number, number>();
  const portOf = (id: number) => brokers.get(id)?.port ?? 0;
  const reply = (id: number, key: number): Reply => {
    came.push({ id, key });
    const { leader, epoch, topicId = '' } = views.get(id) ?? { leader: -1, epoch: -1 };
    const all = [...brokers].map(([other, { port }]) => ({ id: other, port }));
    const isLeader = leader === id;
    switch (key) {
      case KEY.metadata:
        if (leader === UNHEARD_OF) return clusterMetadata(all, TOPIC, [], { topicError: UNKNOWN_TOPIC });
        return clusterMetadata(all, TOPIC, [leader], { epoch, topicId });
      case KEY.findCoordinator:
        return leader < 0 ? coordinatorResponse(0, NO_COORDINATOR, -1) : coordinatorResponse(portOf(leader), 0, leader);
      case KEY.endTxn:
        if (stuck.has(id)) return endTxnResponse(stuck.get(id) ?? 0);
        return endTxnResponse(isLeader ? 0 : NOT_COORDINATOR);
      case KEY.produce:
        return produceResponse(TOPIC, [isLeader ? 0 : NOT_LEADER]);
      case KEY.listOffsets:
        return listOffsetsResponse(isLeader ? 0 : NOT_LEADER);
      case KEY.describeConfigs:
        return settingsResponse('answered.by', String(id));
      default:
        return 'close';
    }
  };
  for (const id of views.keys()) {
    const broker = await startFakeBroker({ reply: ({ key }) => reply(id, key) });
    open.push(broker);
    brokers.set(id, broker);
  }
  const clock = ticking();
  const kafka = await connectKafka({
    brokers: [...brokers.values()].map(({ address }) => address),
    clientId: 'tests',
    clock,
    requestTimeoutMs: NEVER_MS,
    patienceMs: 50,
    ...more,
  });
  open.push(kafka);
  return {
    kafka,
    clock,
    broker: (id: number) => brokers.get(id) as FakeBroker,
    /** The cluster has elected another, and these brokers know it. */
    elect(leader: number, epoch: number, knownTo: readonly number[], topicId = '') {
      for (const id of knownTo) views.set(id, { leader, epoch, topicId });
    },
    /** A coordinator that cannot write down what a transaction has come to answers all else about it so. */
    stick: (id: number, answer: number) => void stuck.set(id, answer),
    /** Which brokers such a request came to. */
    asked: (key: number) => came.filter((one) => one.key === key).map(({ id }) => id),
  };
}

/** Real time, and what a test adds to it. */
function ticking() {
  let addedMs = 0;
  return {
    now: () => Date.now() + addedMs,
    elapsedMs: () => performance.now() + addedMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
    add(ms: number) {
      addedMs += ms;
    },
  };
}

function listOffsetsResponse(error: number): Buffer {
  const encoder = newEncoder().writeInt32(0).writeInt32(1).writeString(TOPIC).writeInt32(1);
  return encoder.writeInt32(0).writeInt16(error).writeInt64(-1).writeInt64(42).buffer;
}

function settingsResponse(name: string, value: string): Buffer {
  const encoder = newEncoder().writeInt32(0).writeInt32(1);
  encoder.writeInt16(0).writeString(null).writeInt8(4).writeString('1').writeInt32(1);
  return encoder.writeString(name).writeString(value).writeBoolean(false).writeInt8(5).writeBoolean(false).writeInt32(0).buffer;
}

describe('a broker that hangs (SIGSTOP: it takes connections and answers nothing)', () => {
  it('and was given first does not keep a new client from the others', async () => {
    const { broker, kafka } = await threeBrokers();
    broker(1).freeze();
    expect(await kafka.leaders(TOPIC)).toEqual([1]);
  });

  it('is waited for once: what any broker knows is asked of the others from then on', async () => {
    const { broker, kafka } = await threeBrokers({ patienceMs: 500 });
    await kafka.leaders(TOPIC);
    broker(1).freeze();
    const startedMs = performance.now();
    for (let i = 0; i < 9; i++) {
      kafka.forgetLeaders(TOPIC);
      await kafka.leaders(TOPIC);
    }
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(broker(1).received.filter(({ key }) => key === KEY.metadata)).toHaveLength(2);
  });

  it('does not keep back the settings of a broker, which another has too', async () => {
    const { broker, kafka } = await threeBrokers();
    await kafka.leaders(TOPIC);
    broker(1).freeze();
    expect((await kafka.brokerConfig(['answered.by'])).get('answered.by')).toBe('2');
  });

  it('does not keep back who coordinates, and the request reaches the new coordinator', async () => {
    const { broker, elect, kafka } = await threeBrokers();
    await kafka.leaders(TOPIC);
    broker(1).freeze();
    elect(2, 2, [2, 3]);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
  });

  it('is waited for by a request to it for the request timeout, once, and then everything that was known to be there is asked about again', async () => {
    const { asked, broker, elect, kafka } = await threeBrokers({ requestTimeoutMs: 300 });
    await kafka.leaders(TOPIC);
    for (const id of ['a', 'b']) expect(await kafka.endTxn(whoOf(id), true)).toBe('NONE');
    broker(1).freeze();
    elect(2, 2, [2, 3]);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NO_ANSWER');
    expect(await kafka.endTxn(whoOf('b'), true)).toBe('NONE');
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
    expect(await kafka.leaders(TOPIC)).toEqual([2]);
    expect(asked(KEY.endTxn)).toEqual([1, 1, 2, 2]);
  });

  it('and left a request unanswered is not asked what any broker knows either', async () => {
    const { broker, elect, kafka } = await threeBrokers({ requestTimeoutMs: 300, patienceMs: NEVER_MS });
    for (let i = 0; i < 3; i++) {
      await kafka.leaders(TOPIC);
      if (i < 2) kafka.forgetLeaders(TOPIC);
    }
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
    broker(1).freeze();
    elect(2, 2, [2, 3]);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NO_ANSWER');
    const before = broker(1).connections();
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
    expect(broker(1).connections()).toBe(before);
  });

  it('is waited for a quarter of the request timeout, unless it is said otherwise, before another is asked', async () => {
    const { broker, kafka } = await threeBrokers({ requestTimeoutMs: 3_000, patienceMs: undefined });
    broker(1).freeze();
    const startedMs = performance.now();
    expect(await kafka.leaders(TOPIC)).toEqual([1]);
    expect(performance.now() - startedMs).toBeGreaterThan(740);
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  it('is not asked a second time for what it did not answer within the request timeout', async () => {
    const { broker, elect, kafka } = await threeBrokers({ requestTimeoutMs: 1_000 });
    expect(await kafka.offsets(TOPIC, [0], 'latest')).toEqual([42]);
    broker(1).freeze();
    elect(2, 2, [2, 3]);
    const startedMs = performance.now();
    await expect(kafka.offsets(TOPIC, [0], 'latest')).rejects.toMatchObject({ code: 'NO_ANSWER', retriable: true });
    expect(performance.now() - startedMs).toBeLessThan(1_800);
    expect(await kafka.offsets(TOPIC, [0], 'latest')).toEqual([42]);
  });

  it('takes all that waits on its connection for as unanswered as the first, whose time is over', async () => {
    const { broker, elect, kafka } = await threeBrokers({ requestTimeoutMs: 1_000 });
    await kafka.offsets(TOPIC, [0], 'latest');
    broker(1).freeze();
    elect(2, 2, [2, 3]);
    const startedMs = performance.now();
    const first = kafka.offsets(TOPIC, [0], 'latest').catch(() => 'silence');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = kafka.offsets(TOPIC, [0], 'earliest').catch(() => 'silence');
    expect(await Promise.all([first, second])).toEqual(['silence', 'silence']);
    expect(performance.now() - startedMs).toBeLessThan(1_800);
  });

  it('answers to a new connection no sooner: setting it up takes no longer than a request may', async () => {
    const sockets: net.Socket[] = [];
    const swallowing = net.createServer((socket) => void sockets.push(socket.on('error', () => {}).resume()));
    await once(swallowing.listen(0, '127.0.0.1'), 'listening');
    open.push({
      async close() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => swallowing.close(resolve));
      },
    });
    const { port } = swallowing.address() as AddressInfo;
    const kafka = await connectKafka({
      brokers: [`127.0.0.1:${port}`],
      clientId: 'tests',
      clock: ticking(),
      ssl: true,
      requestTimeoutMs: 300,
    });
    open.push(kafka);
    const startedMs = performance.now();
    await expect(kafka.leaders(TOPIC)).rejects.toMatchObject({ code: 'NO_ANSWER' });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });
});

describe('a broker that is down', () => {
  it('does not keep back the settings of a broker, which another has too', async () => {
    const { broker, kafka } = await threeBrokers();
    await kafka.leaders(TOPIC);
    await broker(1).close();
    expect((await kafka.brokerConfig(['answered.by'])).get('answered.by')).toBe('2');
  });
});

describe('a broker that is cut off from the others, and answers us', () => {
  it('is not believed for ever: who leads is asked of another when the time of what is known is over', async () => {
    const { clock, elect, kafka } = await threeBrokers({ metadataMaxAgeMs: 10_000 });
    expect(await kafka.leaders(TOPIC)).toEqual([1]);
    elect(2, 2, [2, 3]);
    clock.add(10_000);
    expect(await kafka.leaders(TOPIC)).toEqual([2]);
  });

  it('is not believed again by one who has heard of a newer leader', async () => {
    const { clock, elect, kafka } = await threeBrokers({ metadataMaxAgeMs: 10_000 });
    elect(2, 2, [2, 3]);
    const seen: number[] = [];
    for (let i = 0; i < 8; i++) {
      seen.push(...(await kafka.leaders(TOPIC)));
      clock.add(10_000);
    }
    expect(seen).toEqual([1, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('is asked last, once it has named a leader that was none', async () => {
    const { elect, kafka } = await threeBrokers();
    elect(2, 2, [1]);
    elect(3, 3, [2, 3]);
    expect(await kafka.leaders(TOPIC)).toEqual([2]);
    expect((await kafka.produce(whoOf('a'), 2, batches)).answer).toBe('NOT_LEADER_OR_FOLLOWER');
    kafka.forgetLeaders(TOPIC);
    expect(await kafka.leaders(TOPIC)).toEqual([3]);
  });

  it('is asked last, once it has named a coordinator that was none', async () => {
    const { asked, elect, kafka } = await threeBrokers();
    await kafka.leaders(TOPIC);
    elect(2, 2, [1]);
    elect(3, 3, [2, 3]);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NOT_COORDINATOR');
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
    expect(asked(KEY.findCoordinator)).toEqual([1, 2]);
  });

  it('that says there is no coordinator at the moment is not asked again before the others', async () => {
    const { elect, kafka } = await threeBrokers();
    await kafka.leaders(TOPIC);
    elect(-1, 2, [1]);
    elect(3, 3, [2, 3]);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('COORDINATOR_NOT_AVAILABLE');
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
  });

  it.each([
    ['CONCURRENT_TRANSACTIONS', 51],
    ['COORDINATOR_LOAD_IN_PROGRESS', 14],
  ])('and goes on as a coordinator with %s is believed for a while, and then another is asked who coordinates', async (answer, code) => {
    const { asked, clock, elect, kafka, stick } = await threeBrokers({ patienceMs: 1_000 });
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
    elect(2, 2, [2, 3]);
    stick(1, code);
    clock.add(500);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe(answer);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe(answer);
    clock.add(500);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe(answer);
    expect(await kafka.endTxn(whoOf('a'), true)).toBe('NONE');
    expect(asked(KEY.findCoordinator)).toEqual([1, 2]);
  });

  it('is not asked again before the others when it names no leader', async () => {
    const { elect, kafka } = await threeBrokers();
    elect(-1, 2, [1]);
    elect(3, 3, [2, 3]);
    expect(await kafka.leaders(TOPIC)).toEqual([-1]);
    expect(await kafka.leaders(TOPIC)).toEqual([3]);
  });

  it('is not the only one that is asked for a topic that it has not heard of', async () => {
    const { elect, kafka } = await threeBrokers();
    elect(UNHEARD_OF, 0, [1]);
    expect(await kafka.leaders(TOPIC)).toEqual([1]);
  });

  it('is believed when it alone answers', async () => {
    const { broker, clock, elect, kafka } = await threeBrokers({ metadataMaxAgeMs: 10_000 });
    elect(2, 2, [1, 2, 3]);
    expect(await kafka.leaders(TOPIC)).toEqual([2]);
    elect(3, 1, [3]);
    await broker(1).close();
    await broker(2).close();
    clock.add(10_000);
    expect(await kafka.leaders(TOPIC)).toEqual([3]);
  });
});

describe('a cluster whose brokers have all been replaced', () => {
  it('is found again by the addresses that were given, also by what is asked of one broker', async () => {
    const settings = (id: number) => startFakeBroker({ reply: () => settingsResponse('answered.by', String(id)) });
    let broker = await settings(1);
    // A load balancer, as managed clusters have it, that leads to some broker.
    const given = await startFakeBroker({ reply: () => clusterMetadata([{ id: broker === first ? 1 : 4, port: broker.port }], '', []) });
    const first = broker;
    open.push(first, given);
    const kafka = await connectKafka({ brokers: [given.address], clientId: 'tests', clock: ticking(), patienceMs: 50 });
    open.push(kafka);
    expect((await kafka.brokerConfig(['answered.by'])).get('answered.by')).toBe('1');
    await first.close();
    broker = await settings(4);
    open.push(broker);
    expect((await kafka.brokerConfig(['answered.by'])).get('answered.by')).toBe('4');
  });
});

describe('a topic that was made anew', () => {
  it('begins with a low leader epoch again, and is believed when every broker says so', async () => {
    const { asked, clock, elect, kafka } = await threeBrokers({ metadataMaxAgeMs: 10_000 });
    elect(2, 9, [1, 2, 3]);
    expect(await kafka.leaders(TOPIC)).toEqual([2]);
    elect(3, 0, [1, 2, 3]);
    clock.add(10_000);
    expect(await kafka.leaders(TOPIC)).toEqual([3]);
    const before = asked(KEY.metadata).length;
    clock.add(10_000);
    expect(await kafka.leaders(TOPIC)).toEqual([3]);
    expect(asked(KEY.metadata)).toHaveLength(before + 1);
  });
});

describe('a topic that is made anew while one broker is cut off, which goes on telling of the one before', () => {
  const [before, anew] = ['the-topic-before-was-g', 'the-topic-now-there-ig'];

  it.each([1, 2, 3])('is told by its id, whichever broker that is (%i)', async (cutOff) => {
    const { elect, kafka } = await threeBrokers();
    elect(1, 5, [1, 2, 3], before);
    expect(await kafka.topicId(TOPIC)).toBe(before);
    const others = [1, 2, 3].filter((id) => id !== cutOff);
    // Leader epochs of another topic begin again.
    elect(others[0] ?? 0, 0, others, anew);
    // As a plan and what follows it ask: not the same broker twice.
    expect([await kafka.topicId(TOPIC, 'now'), await kafka.topicId(TOPIC, 'now')]).toContain(anew);
  });

  it('is told when a broker is asked again that told of the one before', async () => {
    const { elect, kafka } = await threeBrokers();
    elect(1, 5, [1, 2, 3], before);
    await kafka.leaders(TOPIC);
    elect(2, 0, [2, 3], anew);
    expect(await kafka.topicId(TOPIC)).toBe(before);
    expect(await kafka.topicId(TOPIC, 'now')).toBe(anew);
  });
});
