import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { connectFunction } from '../../../host/kafka.ts';
import { tlsAndLogin } from '../../../host/kafka-login.ts';
import { openKafkaStageHost } from '../../../host/process.ts';
import { parameters } from '../../../lib/config/parameters.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import { newEncoder } from '../../../lib/kafka/kafkajs-internals.ts';
import { type FakeBroker, KEY, metadataResponse, startFakeBroker } from '../kafka/fake-broker.ts';

const open: { close(): Promise<unknown> }[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const who = { transactionalId: 'job-1-sink-0-1', producerId: '7', producerEpoch: 3 };
const clock = { now: () => Date.now(), elapsedMs: () => performance.now() };

/** The environment of a function whose user and password are in a file, and a broker that takes `password`. */
async function environment(password: string) {
  const broker: FakeBroker = await startFakeBroker({
    reply({ key, body }) {
      if (key === KEY.saslHandshake) return newEncoder().writeInt16(0).writeInt32(1).writeString('PLAIN').buffer;
      if (key !== KEY.saslAuthenticate) return metadataResponse(broker.port, 'out', [1]);
      const isRight = body.subarray(4).toString() === `\0alice\0${password}`;
      const answer = newEncoder()
        .writeInt16(isRight ? 0 : 58)
        .writeString(null);
      return answer.writeInt32(0).writeInt64(0).buffer;
    },
  });
  open.push(broker);
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-login-'));
  folders.push(folder);
  const file = join(folder, 'login.json');
  writeFileSync(file, '{"username":"alice","password":"hunter2"}');
  return {
    ONCEFLOW_JOB: './jobs/word-count.ts',
    ONCEFLOW_BROKERS: broker.address,
    ONCEFLOW_BLOBS: pathToFileURL(folder).href,
    ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
    ONCEFLOW_KAFKA_SASL_MECHANISM: 'PLAIN',
    ONCEFLOW_KAFKA_CREDENTIALS_FILE: file,
  };
}

describe('a function', () => {
  it('logs in with user and password of the file', async () => {
    const { kafka } = await openKafkaStageHost(await environment('hunter2'));
    open.push(kafka);
    expect(await kafka.leaders('out')).toEqual([1]);
  });

  it('of a stage, whose login is refused, has no answer: the job that it belongs to may be changing its password', async () => {
    const { kafka } = await openKafkaStageHost(await environment('another'));
    open.push(kafka);
    expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
  });

  it('that starts a job for a person says at once that the login is refused', async () => {
    const host = await openKafkaStageHost(await environment('another'));
    const kafka = await connectFunction(host, 'fail');
    open.push(host.kafka, kafka);
    await expect(kafka.leaders('out')).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
  });
});

describe('the security of a connection', () => {
  const config = (env: Readonly<Record<string, string>>) =>
    readConfig({ ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'b:9098', ONCEFLOW_BLOBS: 'file:///var/blobs', ...env });
  const sleepless = { ...clock, sleep: () => Promise.resolve() };
  const iam = config({ ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' });

  it('is none unless it is asked for', async () => {
    expect(await tlsAndLogin(config({}), sleepless, parameters, {})).toEqual({ ssl: undefined, sasl: undefined });
    expect(await tlsAndLogin(config({ ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL' }), sleepless, parameters, {})).toEqual({
      ssl: true,
      sasl: undefined,
    });
  });

  it('by IAM is TLS and tokens of the region, which must be known', async () => {
    expect(await tlsAndLogin(iam, sleepless, parameters, { AWS_REGION: 'eu-west-1' })).toEqual({
      ssl: true,
      sasl: { mechanism: 'oauthbearer', token: expect.any(Function) },
    });
    await expect(tlsAndLogin(iam, sleepless, parameters, {})).rejects.toThrow(
      /AWS_REGION is not set: it must be the region of the cluster/,
    );
  });

  it('says which file cannot be read', async () => {
    const file = '/no/such/login.json';
    const plain = {
      ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      ONCEFLOW_KAFKA_SASL_MECHANISM: 'PLAIN',
      ONCEFLOW_KAFKA_CREDENTIALS_FILE: file,
    };
    const { sasl } = await tlsAndLogin(config(plain), sleepless, parameters, {});
    const reading = sasl?.mechanism === 'plain' ? sasl.credentials.current() : undefined;
    await expect(reading).rejects.toThrow(`file ${file} (ONCEFLOW_KAFKA_CREDENTIALS_FILE) cannot be read: ENOENT`);
  });
});
