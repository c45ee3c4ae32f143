import dns from 'node:dns';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { connectKafka, type KafkaOptions } from '../../../lib/kafka/connect.ts';
import { createCredentialSource } from '../../../lib/kafka/credential-source.ts';
import { newEncoder } from '../../../lib/kafka/kafkajs-internals.ts';
import type { KafkaProblem, KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import { testCertificate, testKey } from './certificate.ts';
import {
  coordinatorResponse,
  endTxnResponse,
  type FakeBroker,
  type FakeBrokerOptions,
  KEY,
  metadataResponse,
  produceResponse,
  type ReceivedRequest,
  type Reply,
  startFakeBroker,
} from './fake-broker.ts';

const who = { transactionalId: 'job-1-sink-0-1', producerId: '7', producerEpoch: 3 };
const NOTHING_LISTENS = '127.0.0.1:1';

// Node warns once in a process: of whichever test comes first.
const warnings: string[] = [];
const onWarning = (warning: Error) => warnings.push(warning.name);
process.on('warning', onWarning);
afterAll(() => {
  process.off('warning', onWarning);
});

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of open.splice(0).reverse()) await one.close();
});

let nowMs = 0;
const clock = {
  now: () => nowMs,
  elapsedMs: () => nowMs - 1_000,
  async sleep(ms: number) {
    nowMs += ms;
  },
};

async function fakeBroker(options: FakeBrokerOptions): Promise<FakeBroker> {
  const broker = await startFakeBroker(options);
  open.push(broker);
  return broker;
}

async function connect(brokers: readonly string[], more: Partial<KafkaOptions> = {}): Promise<KafkaRequests> {
  const kafka = await connectKafka({ brokers, clientId: 'tests', clock, requestTimeoutMs: 200, connectionTimeoutMs: 1000, ...more });
  open.push(kafka);
  return kafka;
}

/** A broker, the client of it, and how often each request came. `reply` is for all but metadata and FindCoordinator. */
async function world(reply: (request: ReceivedRequest) => Reply | Promise<Reply>, more: Partial<FakeBrokerOptions & KafkaOptions> = {}) {
  const broker: FakeBroker = await fakeBroker({
    ...more,
    reply(request) {
      if (request.key === KEY.metadata) return metadataResponse(broker.port, 'out', [1, 1]);
      if (request.key === KEY.findCoordinator) return coordinatorResponse(broker.port);
      return reply(request);
    },
  });
  const kafka = await connect([broker.address], more);
  const count = (key: number) => broker.received.filter((request) => request.key === key).length;
  return { broker, kafka, count };
}

/** A secret whose text changes with every reading, up to the last. */
function credentialsIn(texts: readonly string[], ttlMs = 60_000) {
  let reads = 0;
  return createCredentialSource({ read: async () => texts[Math.min(reads++, texts.length - 1)] ?? '', origin: 'the test', ttlMs, clock });
}

async function problemOf(request: Promise<unknown>): Promise<KafkaProblem> {
  return request.then(
    () => expect.fail('the request succeeded'),
    (error: KafkaProblem) => error,
  );
}

describe('connecting', () => {
  it('is lazy: with no broker up it succeeds, and the first request says which brokers and which option', async () => {
    const kafka = await connect([NOTHING_LISTENS]);
    const problem = await problemOf(kafka.partitionCount('out'));
    expect(problem).toMatchObject({ name: 'KafkaProblem', code: 'NO_ANSWER', retriable: true });
    expect(problem.message).toMatch(/127\.0\.0\.1:1.*ECONNREFUSED.*ONCEFLOW_BROKERS/);
  });

  it('says what became of each address of a name when none answers', async () => {
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: object, found: (error: null, addresses: object[]) => void) =>
      found(null, addresses)) as unknown as typeof dns.lookup);
    const problem = await problemOf((await connect(['kafka.test:1'])).partitionCount('out'));
    expect(problem.message).toMatch(/kafka\.test:1: .*connect ECONNREFUSED 127\.0\.0\.1:1; connect ECONNREFUSED 127\.0\.0\.2:1/);
  });

  it('reaches a broker by an IPv6 address, and names it as it was written', async () => {
    const problem = await problemOf((await connect(['[::1]:1'])).partitionCount('out'));
    expect(problem.message).toMatch(/\[::1\]:1: .*connect E[A-Z]+ ::1:1/);
  });

  it('asks the other brokers when the first is down', async () => {
    const broker = await fakeBroker({ reply: () => metadataResponse(broker.port, 'out', [1, 1, 1]) });
    const kafka = await connect([NOTHING_LISTENS, broker.address]);
    expect(await kafka.partitionCount('out')).toBe(3);
  });

  it('works when the broker comes up later', async () => {
    const first = await fakeBroker({ reply: () => 'close' });
    await first.close();
    const kafka = await connect([first.address]);
    expect((await problemOf(kafka.partitionCount('out'))).retriable).toBe(true);
    await fakeBroker({ port: first.port, reply: () => metadataResponse(first.port, 'out', [1]) });
    expect(await kafka.partitionCount('out')).toBe(1);
  });

  it.each([[[]], [['kafka']], [['kafka:9092', 'kafka:']], [['http://kafka:9092']]])(
    'refuses %j as brokers and names the option',
    async (brokers) => {
      expect(await problemOf(connect(brokers))).toMatchObject({ retriable: false, message: expect.stringContaining('ONCEFLOW_BROKERS') });
    },
  );

  it('sends its client id', async () => {
    const { broker, kafka } = await world(() => 'silence', { clientId: 'word-count' });
    await kafka.leaders('out');
    expect(broker.received.map(({ clientId }) => clientId)).toEqual(['word-count']);
  });
});

describe('a request without an answer', () => {
  it('is sent once, answers NO_ANSWER, and the next request reconnects', async () => {
    let replies = 0;
    const { broker, kafka, count } = await world(() => (replies++ === 0 ? 'close' : endTxnResponse(0)));
    expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
    expect(count(KEY.endTxn)).toBe(1);
    expect(await kafka.endTxn(who, true)).toBe('NONE');
    expect(broker.connections()).toBe(2);
  });

  it('counts as unanswered after the request timeout, and its connection is dropped', async () => {
    let replies = 0;
    const { broker, kafka, count } = await world(() => (replies++ === 0 ? 'silence' : endTxnResponse(0)));
    expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
    expect(count(KEY.endTxn)).toBe(1);
    expect(await kafka.endTxn(who, true)).toBe('NONE');
    expect(broker.connections()).toBe(2);
  });

  it('takes those that were under way on its connection with it', async () => {
    const { broker, kafka } = await world(() => 'silence');
    await kafka.leaders('out');
    const batches = [{ topic: 'out', partition: 0, batch: Buffer.from([1]) }];
    const answers = [kafka.produce(who, 1, batches), kafka.produce(who, 1, batches)];
    await expect.poll(() => broker.received.filter(({ key }) => key === KEY.produce).length).toBe(2);
    broker.reset();
    expect((await Promise.all(answers)).map(({ answer }) => answer)).toEqual(['NO_ANSWER', 'NO_ANSWER']);
  });

  it('is told to the log once while the broker is down, and so is its return', async () => {
    const lines: string[] = [];
    const { broker, kafka } = await world(() => endTxnResponse(0), { log: (line) => lines.push(line) });
    await kafka.endTxn(who, true);
    await broker.close();
    for (let i = 0; i < 5; i++) expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
    await fakeBroker({
      port: broker.port,
      reply: ({ key }) => (key === KEY.endTxn ? endTxnResponse(0) : coordinatorResponse(broker.port)),
    });
    for (let i = 0; i < 2; i++) expect(await kafka.endTxn(who, true)).toBe('NONE');
    expect(lines).toEqual([
      expect.stringMatching(/^no answer to .* from broker 127\.0\.0\.1:\d+: /),
      expect.stringMatching(/answers again$/),
    ]);
  });

  it('is NO_ANSWER too when the bytes of the answer make no sense', async () => {
    const { kafka } = await world(() => Buffer.alloc(1));
    expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
  });

  it('metadata is asked for again on a new connection when the old one had died unseen', async () => {
    let dead = false;
    const broker = await fakeBroker({
      reply() {
        const reply = dead ? 'close' : metadataResponse(broker.port, 'out', [1]);
        dead = false;
        return reply;
      },
    });
    const kafka = await connect([broker.address]);
    await kafka.leaders('out');
    dead = true;
    kafka.forgetLeaders('out');
    expect(await kafka.leaders('out')).toEqual([1]);
    expect(broker.connections()).toBe(2);
  });

  it('after close nothing is sent and nothing reconnects', async () => {
    const { broker, kafka } = await world(() => endTxnResponse(0));
    await kafka.endTxn(who, true);
    const before = broker.connections();
    await kafka.close();
    expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
    expect(broker.connections()).toBe(before);
  });
});

describe('closing', () => {
  it('while a connection is being made leaves none behind', async () => {
    let greet = () => {};
    const greeting = new Promise<void>((resolve) => {
      greet = resolve;
    });
    const { broker, kafka } = await world(() => 'silence', { greeting });
    const asked = problemOf(kafka.leaders('out'));
    await expect.poll(() => broker.openConnections()).toBe(1);
    await kafka.close();
    greet();
    expect((await asked).code).toBe('NO_ANSWER');
    await expect.poll(() => broker.openConnections()).toBe(0);
  });
});

describe('an idle connection', () => {
  it('is replaced before it is used, because a frozen process would not have seen it die', async () => {
    const { broker, kafka, count } = await world(() => endTxnResponse(0), { maxIdleMs: 60_000 });
    await kafka.endTxn(who, true);
    nowMs += 59_000;
    await kafka.endTxn(who, true);
    expect(broker.connections()).toBe(1);
    nowMs += 61_000;
    expect(await kafka.endTxn(who, true)).toBe('NONE');
    expect(broker.connections()).toBe(2);
    expect(count(KEY.endTxn)).toBe(3);
  });
});

describe('Produce requests to one leader', () => {
  const batchNumber = (request: ReceivedRequest) => request.body.at(-1);
  const batches = (number: number) => [{ topic: 'out', partition: 0, batch: Buffer.from([number]) }];

  it('reach the broker in the order of the calls, also while the connection is being made', async () => {
    const { broker, kafka } = await world(() => produceResponse('out', [0]));
    await kafka.leaders('out');
    const early = [0, 1, 2, 3, 4].map((number) => kafka.produce(who, 1, batches(number)));
    await early[0];
    const late = [5, 6, 7].map((number) => kafka.produce(who, 1, batches(number)));
    expect((await Promise.all([...early, ...late])).map(({ answer }) => answer)).toEqual(new Array(8).fill('NONE'));
    expect(broker.received.filter(({ key }) => key === KEY.produce).map(batchNumber)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('reach it in order also when nothing is known of the cluster yet', async () => {
    const { broker, kafka } = await world(() => produceResponse('out', [0]));
    await Promise.all([0, 1, 2].map((number) => kafka.produce(who, 1, batches(number))));
    expect(broker.received.filter(({ key }) => key === KEY.produce).map(batchNumber)).toEqual([0, 1, 2]);
  });

  it('are written without waiting for the answer of the one before', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { broker, kafka } = await world(async () => {
      await held;
      return produceResponse('out', [0]);
    });
    await kafka.leaders('out');
    const answers = [0, 1].map((number) => kafka.produce(who, 1, batches(number)));
    await expect.poll(() => broker.received.filter(({ key }) => key === KEY.produce).length).toBe(2);
    release();
    expect((await Promise.all(answers)).map(({ answer }) => answer)).toEqual(['NONE', 'NONE']);
  });

  it('do not hold up a commit: they have a connection of their own', async () => {
    const { kafka } = await world(({ key }) => (key === KEY.produce ? 'silence' : endTxnResponse(0)));
    await kafka.leaders('out');
    let produced: string | undefined;
    const producing = kafka.produce(who, 1, batches(0)).then(({ answer }) => {
      produced = answer;
    });
    expect(await kafka.endTxn(who, true)).toBe('NONE');
    expect(produced).toBeUndefined();
    await producing;
  });

  it('answer NO_ANSWER when the cluster has no such broker', async () => {
    const { kafka, count } = await world(() => produceResponse('out', [0]));
    expect((await kafka.produce(who, -1, batches(0))).answer).toBe('NO_ANSWER');
    expect(count(KEY.produce)).toBe(0);
  });
});

describe('TLS', () => {
  const tls = { key: testKey, cert: testCertificate };

  it('carries requests and large answers', async () => {
    const leaders = new Array<number>(20_000).fill(1);
    const broker = await fakeBroker({ tls, reply: () => metadataResponse(broker.port, 'out', leaders) });
    const kafka = await connect([broker.address], { ssl: { ca: [testCertificate] }, requestTimeoutMs: 10_000 });
    expect(await kafka.leaders('out')).toEqual(leaders);
  });

  it('refuses a certificate that it has no reason to trust, and says so', async () => {
    const broker = await fakeBroker({ tls, reply: () => 'silence' });
    const kafka = await connect([broker.address], { ssl: true });
    expect((await problemOf(kafka.partitionCount('out'))).message).toContain('self-signed certificate');
  });

  it('is asked about when a client without it meets a listener with it', async () => {
    const broker = await fakeBroker({ tls, reply: () => 'silence' });
    const kafka = await connect([broker.address]);
    expect((await problemOf(kafka.partitionCount('out'))).message).toMatch(/\(no SASL, no TLS\).*does the listener expect what we speak/);
  });
});

describe('SASL', () => {
  const sasl = { mechanism: 'plain', credentials: credentialsIn(['{"username":"alice","password":"wrong"}']) } as const;
  const handshake = (mechanisms: readonly string[], error = 0) => {
    const encoder = newEncoder().writeInt16(error).writeInt32(mechanisms.length);
    for (const mechanism of mechanisms) encoder.writeString(mechanism);
    return encoder.buffer;
  };
  const authenticated = (error: number, message: string | null) =>
    newEncoder().writeInt16(error).writeString(message).writeInt32(0).writeInt64(0).buffer;

  /** A broker whose answer to the credentials is `login`. */
  async function guarded(login: Reply) {
    const broker: FakeBroker = await fakeBroker({
      reply({ key }) {
        if (key === KEY.saslHandshake) return handshake(['PLAIN']);
        if (key === KEY.saslAuthenticate) return login;
        return metadataResponse(broker.port, 'out', [1]);
      },
    });
    return { broker, kafka: await connect([broker.address], { sasl }) };
  }

  it('logs in once on each connection', async () => {
    const { broker, kafka } = await guarded(authenticated(0, null));
    await kafka.leaders('out');
    kafka.forgetLeaders('out');
    await kafka.leaders('out');
    expect(broker.received.map(({ key }) => key)).toEqual([KEY.saslHandshake, KEY.saslAuthenticate, KEY.metadata, KEY.metadata]);
  });

  it('refused credentials need a person: the problem names the user and the broker', async () => {
    const { broker, kafka } = await guarded(authenticated(58, 'Authentication failed: Invalid username or password'));
    const problem = await problemOf(kafka.leaders('out'));
    expect(problem).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
    expect(problem.message).toContain(broker.address);
    expect(problem.message).toContain('user alice');
    expect(problem.message).toContain('Invalid username or password');
  });

  it('throws the same for a request whose failures are answers: repeating would not help', async () => {
    const { kafka } = await guarded(authenticated(58, null));
    expect(await problemOf(kafka.endTxn(who, true))).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
  });

  it('a broker that goes away while we log in has refused nothing', async () => {
    const { kafka } = await guarded('close');
    expect(await problemOf(kafka.leaders('out'))).toMatchObject({ code: 'NO_ANSWER', retriable: true });
  });

  it('a mechanism that the broker does not offer needs a person', async () => {
    const broker = await fakeBroker({ reply: () => handshake(['SCRAM-SHA-512'], 33) });
    const kafka = await connect([broker.address], { sasl });
    expect(await problemOf(kafka.leaders('out'))).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
  });
});

describe('timers', () => {
  it('never get a negative delay, whatever the requests in this file were answered', async () => {
    const { kafka } = await world(() => endTxnResponse(0));
    await kafka.endTxn(who, true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(warnings).toEqual([]);
  });
});
