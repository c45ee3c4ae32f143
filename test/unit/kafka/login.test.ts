import { afterEach, describe, expect, it } from 'vitest';
import { connectKafka, type KafkaOptions } from '../../../lib/kafka/connect.ts';
import { createCredentialSource } from '../../../lib/kafka/credential-source.ts';
import { newEncoder } from '../../../lib/kafka/kafkajs-internals.ts';
import type { KafkaProblem, KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { testCertificate, testKey } from './certificate.ts';
import { type FakeBroker, type FakeBrokerOptions, KEY, metadataResponse, type Reply, startFakeBroker } from './fake-broker.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
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

const REFUSED = 58;
/** What a broker says of a login, and how long the session may last; 0: without end. */
function answered(error: number, payload = '', sessionMs = 0): Buffer {
  const message = error === 0 ? null : 'Authentication failed';
  return newEncoder().writeInt16(error).writeString(message).writeBytes(Buffer.from(payload)).writeInt64(sessionMs).buffer;
}

/** A broker with one mechanism, and what clients sent it to log in with. */
async function guarded(mechanism: string, login: (text: string) => Reply, more: Partial<FakeBrokerOptions> = {}) {
  const texts: string[] = [];
  const broker: FakeBroker = await startFakeBroker({
    ...more,
    reply({ key, body }) {
      if (key === KEY.saslHandshake) return newEncoder().writeInt16(0).writeInt32(1).writeString(mechanism).buffer;
      if (key !== KEY.saslAuthenticate) return metadataResponse(broker.port, 'out', [1]);
      const text = body.subarray(4).toString();
      texts.push(text);
      return login(text);
    },
  });
  open.push(broker);
  return { broker, texts };
}

async function connect(broker: FakeBroker, more: Partial<KafkaOptions>): Promise<KafkaRequests> {
  const kafka = await connectKafka({ brokers: [broker.address], clientId: 'tests', clock, requestTimeoutMs: 500, ...more });
  open.push(kafka);
  return kafka;
}

async function problemOf(request: Promise<unknown>): Promise<KafkaProblem> {
  return request.then(
    () => expect.fail('the request succeeded'),
    (error: KafkaProblem) => error,
  );
}

/** A secret: its text may be changed, and its readings are counted. */
function secret(text: string, ttlMs = 300_000) {
  const held = { text, reads: 0 };
  const read = async () => {
    held.reads += 1;
    return held.text;
  };
  return { held, source: createCredentialSource({ read, origin: 'secret job (THE_OPTION)', ttlMs, clock }) };
}

/** No answer, for the reason that the login was refused. */
const waiting = { code: 'NO_ANSWER', retriable: true, message: expect.stringContaining('refused the login of user alice') };
const login = (password: string) => JSON.stringify({ username: 'alice', password });
const plainText = (password: string) => `\0alice\0${password}`;

describe('user and password', () => {
  it('are read once, and again when their time to live is over (ONCEFLOW_KAFKA_SECRET_TTL_MS)', async () => {
    const { held, source } = secret(login('first'), 60_000);
    expect(source.username()).toBeUndefined();
    expect(await Promise.all([source.current(), source.current()])).toHaveLength(2);
    nowMs += 59_999;
    await source.current();
    expect(held.reads).toBe(1);
    held.text = login('second');
    nowMs += 1;
    expect(await source.current()).toEqual({ username: 'alice', password: 'second' });
    expect(held.reads).toBe(2);
  });

  it('are used beyond their time to live while they cannot be read: who keeps the secret may be down', async () => {
    let isUp = true;
    const read = () => (isUp ? Promise.resolve(login('first')) : Promise.reject(new StoreProblem('down', true)));
    const source = createCredentialSource({ read, origin: 'it', ttlMs: 60_000, clock });
    await source.current();
    isUp = false;
    nowMs += 60_000;
    expect(await source.current()).toMatchObject({ password: 'first' });
  });

  it('are read again when they are refused, but not once more for every connection that is refused', async () => {
    const { held, source } = secret(login('first'));
    const first = await source.current();
    nowMs += 5_000;
    expect(await source.renewed(first)).toBeUndefined();
    held.text = login('second');
    expect(await source.renewed(first)).toBeUndefined();
    expect(held.reads).toBe(2);
    nowMs += 1_000;
    expect(await source.renewed(first)).toMatchObject({ password: 'second' });
    expect(await source.renewed(first)).toMatchObject({ password: 'second' });
    expect(held.reads).toBe(3);
  });

  it.each([
    '',
    'hunter2',
    '{"username":"alice"}',
    '{"username":"alice","password":""}',
    '{"username":1,"password":"hunter2"}',
    '[]',
    'null',
  ])('that are no such JSON (%s) are refused with the option, and never quoted', async (text) => {
    const error = await secret(text)
      .source.current()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreProblem);
    expect(error).toMatchObject({
      retriable: false,
      message: expect.stringMatching(/^secret job \(THE_OPTION\) does not hold user and password/),
    });
    expect(String(error)).not.toContain('hunter2');
  });

  it('that were rotated are picked up by the next connection, without a failed request', async () => {
    let valid = 'first';
    const { broker, texts } = await guarded('PLAIN', (text) => answered(text === plainText(valid) ? 0 : REFUSED));
    const { held, source } = secret(login('first'));
    const kafka = await connect(broker, { sasl: { mechanism: 'plain', credentials: source } });
    await kafka.leaders('out');
    valid = 'second';
    held.text = login('second');
    nowMs += 5_000;
    broker.reset();
    kafka.forgetLeaders('out');
    expect(await kafka.leaders('out')).toEqual([1]);
    expect(texts).toEqual([plainText('first'), plainText('first'), plainText('second')]);
  });

  it('that are refused need a person at first; once they have worked, the brokers may learn of the new ones any moment', async () => {
    let valid = 'first';
    const { broker } = await guarded('PLAIN', (text) => answered(text === plainText(valid) ? 0 : REFUSED));
    const kafka = await connect(broker, { sasl: { mechanism: 'plain', credentials: secret(login('wrong')).source } });
    const problem = await problemOf(kafka.leaders('out'));
    expect(problem).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
    expect(problem.message).toMatch(/refused the login of user alice .*ONCEFLOW_KAFKA_SECRET_ARN/);
    expect(problem.message).not.toContain('wrong');
    valid = 'wrong';
    await kafka.leaders('out');
    valid = 'another';
    broker.reset();
    kafka.forgetLeaders('out');
    expect(await problemOf(kafka.leaders('out'))).toMatchObject(waiting);
  });

  it('that are refused are waited with in a process that joins a running job', async () => {
    const { broker } = await guarded('PLAIN', () => answered(REFUSED));
    const kafka = await connect(broker, { onRefusedLogin: 'wait', sasl: { mechanism: 'plain', credentials: secret(login('x')).source } });
    expect(await problemOf(kafka.leaders('out'))).toMatchObject(waiting);
    // Requests whose failures are answers have one for it too.
    expect(await kafka.endTxn({ transactionalId: 'job-1-sink-0-1', producerId: '7', producerEpoch: 3 }, true)).toBe('NO_ANSWER');
  });

  it.each([true, false])('that cannot be read (it may pass: %s) are a problem of the same kind', async (retriable) => {
    const { broker } = await guarded('PLAIN', () => answered(0));
    const read = () => Promise.reject(new StoreProblem('no secret today', retriable));
    const credentials = createCredentialSource({ read, origin: 'it', ttlMs: 1_000, clock });
    const kafka = await connect(broker, { sasl: { mechanism: 'plain', credentials } });
    expect(await problemOf(kafka.leaders('out'))).toMatchObject({ retriable, message: expect.stringContaining('no secret today') });
    expect(broker.connections()).toBe(0);
  });
});

describe('OAUTHBEARER', () => {
  const tls = { key: testKey, cert: testCertificate };
  const sent = (token: string) => `n,,\u0001auth=Bearer ${token}\u0001\u0001`;

  it('sends the token over TLS, and a fresh one when the session is about to end', async () => {
    let tokens = 0;
    // The client repeats the login 10 s before the end of a session.
    const { broker, texts } = await guarded('OAUTHBEARER', () => answered(0, '', texts.length === 1 ? 10_000 : 0), { tls });
    const token = async () => ({ value: `token-${++tokens}` });
    const kafka = await connect(broker, { ssl: { ca: testCertificate }, sasl: { mechanism: 'oauthbearer', token } });
    await kafka.leaders('out');
    kafka.forgetLeaders('out');
    await kafka.leaders('out');
    expect(texts).toEqual([sent('token-1'), sent('token-2')]);
    expect(broker.connections()).toBe(1);
  });

  it('takes no for an answer: the refusal comes without an error code, and is acknowledged', async () => {
    const { broker, texts } = await guarded('OAUTHBEARER', (text) =>
      text === '\u0001' ? answered(REFUSED) : answered(0, '{"status":"invalid_token"}'),
    );
    const kafka = await connect(broker, { sasl: { mechanism: 'oauthbearer', token: async () => ({ value: 'hunter2' }) } });
    const problem = await problemOf(kafka.leaders('out'));
    expect(problem).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
    expect(problem.message).toMatch(/refused the login of the token's principal .*invalid_token.*kafka-cluster:Connect/);
    expect(problem.message).not.toContain('hunter2');
    expect(texts).toEqual([sent('hunter2'), '\u0001']);
  });

  it('says that the token could not be made', async () => {
    const { broker } = await guarded('OAUTHBEARER', () => answered(0));
    const token = () => Promise.reject(new Error('Could not load credentials from any providers'));
    const kafka = await connect(broker, { sasl: { mechanism: 'oauthbearer', token } });
    expect((await problemOf(kafka.leaders('out'))).message).toContain('Could not load credentials');
  });
});

describe('a certificate that is not to be trusted', () => {
  it('needs a person at first, who is told of the option', async () => {
    const { broker } = await guarded('PLAIN', () => answered(0), { tls: { key: testKey, cert: testCertificate } });
    const kafka = await connect(broker, { ssl: true });
    const problem = await problemOf(kafka.leaders('out'));
    expect(problem).toMatchObject({ code: 'UNTRUSTED_CERTIFICATE', retriable: false });
    expect(problem.message).toMatch(/certificate of broker 127\.0\.0\.1:\d+ .*self-signed.*ONCEFLOW_KAFKA_CA_FILE/);
  });
});
