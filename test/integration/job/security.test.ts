import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../host/system.ts';
import { connectKafka } from '../../../lib/kafka/connect.ts';
import { createCredentialSource } from '../../../lib/kafka/credential-source.ts';
import { type KafkaService, startKafka } from '../../../local/stack/kafka.ts';
import { type Keeper, openKeeper } from '../../../local/stack/kept-process.ts';
import { jobRow } from '../../support/epochs.ts';
import { grant, type Right, revoke, rightsInDocs, type ScramMechanism, setPassword } from '../../support/guarded-kafka.ts';
import { onceflow } from '../../support/onceflow.ts';
import { uniqueName } from '../../support/topics.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';
import { anotherAuthority, testCertificate, testKey } from '../../unit/kafka/certificate.ts';

/** A broker with TLS, logins and an authorizer, for this file. What the tests themselves do goes by its plain listener. */
let keeper: Keeper;
let kafka: KafkaService;
let folder: string;
const PASSWORD = 'hunter2-hunter2';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'onceflow-security-'));
  writeFileSync(join(folder, 'ca.pem'), testCertificate);
  writeFileSync(join(folder, 'another-ca.pem'), anotherAuthority);
  keeper = await openKeeper();
  // Clients log in again 10 s before the end of a session: about every second.
  const guard = { key: testKey, certificate: testCertificate, plainUsers: { plain: PASSWORD }, sessionMs: 11_000 };
  kafka = await startKafka(keeper, { guard });
});

afterAll(async () => {
  await keeper?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Secured {
  readonly count: WordCount;
  readonly user: string;
  readonly rights: readonly Right[];
  readonly env: Readonly<Record<string, string>>;
}

/** A word count with a user of its own, whose rights are those of docs/configuration.md. */
async function newSecured(mechanism: ScramMechanism): Promise<Secured> {
  const at = [kafka.bootstrap];
  const user = uniqueName('user');
  const file = join(folder, `${user}.json`);
  writeFileSync(file, JSON.stringify({ username: user, password: PASSWORD }));
  const env = {
    ONCEFLOW_BROKERS: kafka.guarded ?? '',
    ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    ONCEFLOW_KAFKA_SASL_MECHANISM: mechanism,
    ONCEFLOW_KAFKA_CA_FILE: join(folder, 'ca.pem'),
    ONCEFLOW_KAFKA_CREDENTIALS_FILE: file,
  };
  const [count] = await Promise.all([newWordCount({ at, env }), setPassword(user, PASSWORD, mechanism, at)]);
  await count.write(someLines(20));
  return { count, user, env, rights: rightsInDocs({ job: count.job.name, input: count.input, output: count.output }) };
}

it('the ACLs of docs/configuration.md are enough for the word count, over TLS and SCRAM-SHA-512, and for the commands', async () => {
  const { count, user, rights } = await newSecured('SCRAM-SHA-512');
  expect(await wrongFor(count)).toEqual({
    code: 1,
    wrong: expect.arrayContaining([
      'rights on the cluster: grant DescribeConfigs on the cluster: the broker settings are read at each start',
      `topic ${count.input} (source): create it, or grant Read on topic ${count.input}`,
      `topic ${count.output} (sink): create it, or grant Read, Write, DescribeConfigs on topic ${count.output}`,
      `transaction: grant Write on the transactional ids with the prefix ${count.job.name}-`,
    ]),
  });
  await grant(user, rights, [kafka.bootstrap]);
  const run = count.job.start();
  await count.allCounted(run);
  const { code, stderr } = await onceflow(count.job.env, 'transactions', '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await wrongFor(count)).toEqual({ code: 0, wrong: [] });
  await count.expectExact(run);
  expect(run.told()).not.toContain(PASSWORD);
});

/** What `onceflow doctor` finds wrong, with the mend. */
async function wrongFor({ job }: WordCount): Promise<{ code: number; wrong: string[] }> {
  const doctor = await onceflow(job.env, 'doctor', '--json');
  const findings = doctor.json()['findings'] as { what: string; is: string; mend?: string }[];
  return { code: doctor.code, wrong: findings.flatMap(({ what, is, mend }) => (is === 'wrong' ? [`${what}: ${mend}`] : [])) };
}

describe('rights that are taken from a job that runs', () => {
  it.each(['input', 'output'] as const)('on its %s topic, and given back, cost it a while and nothing else', async (which) => {
    const { count, user, rights } = await newSecured('SCRAM-SHA-512');
    const at = [kafka.bootstrap];
    await grant(user, rights, at);
    const run = count.job.start();
    await count.allCounted(run);
    await revoke(user, count[which], at);
    await count.write(someLines(20, 2));
    await run.until('the refusal', () => /TOPIC_AUTHORIZATION_FAILED/.test(run.told()) || undefined);
    await grant(user, rights, at);
    await count.expectExact(run);
  });

  it('stop it when that has lasted for ONCEFLOW_REFUSAL_TIMEOUT_MS', async () => {
    const { count, user, rights } = await newSecured('SCRAM-SHA-512');
    await grant(user, rights, [kafka.bootstrap]);
    const run = count.job.start({ ONCEFLOW_REFUSAL_TIMEOUT_MS: '1500' });
    await count.allCounted(run);
    await waitFor('the last commit to be recorded', async () => {
      const { lastCompleted, lastCommitted } = await jobRow(count.job.name);
      return lastCompleted?.epoch === lastCommitted;
    });
    await revoke(user, count.output, [kafka.bootstrap]);
    await count.write(someLines(20, 2));
    const refusedMs = performance.now();
    expect(await run.ended).toMatchObject({ end: 'failed', message: expect.stringMatching(/TOPIC_AUTHORIZATION_FAILED/) });
    expect(performance.now() - refusedMs).toBeGreaterThan(1_500);
  });
});

describe('one missing ACL stops the job with an error that names operation and resource:', () => {
  const given = { job: 'JOB', input: 'INPUT', output: 'OUTPUT' };
  const messages: readonly RegExp[] = [
    /to user USER \(TOPIC_AUTHORIZATION_FAILED\)\. Grant this principal READ .*on topic INPUT/,
    /transaction JOB-.*TOPIC_AUTHORIZATION_FAILED: grant READ, .* on (topic OUTPUT|the sink's topic) /,
    /AddPartitionsToTxn .*TOPIC_AUTHORIZATION_FAILED: grant READ, WRITE .* on topic OUTPUT/,
    /to user USER \(TOPIC_AUTHORIZATION_FAILED\)\. Grant this principal .*DESCRIBE_CONFIGS on topic OUTPUT/,
    /transaction JOB-.*TRANSACTIONAL_ID_AUTHORIZATION_FAILED: grant WRITE and DESCRIBE on the transactional ids with the job's prefix/,
    /to user USER \(GROUP_AUTHORIZATION_FAILED\)\. Grant this principal READ on group JOB /,
    /to user USER \(CLUSTER_AUTHORIZATION_FAILED\)\. Grant this principal DESCRIBE_CONFIGS on the cluster/,
  ];
  const cases = rightsInDocs(given).map((right, index) => [right, index, messages[index]] as const);

  it('each has its message', () => expect(cases).toHaveLength(messages.length));

  it.each(cases.map(([right, index, message]) => ({ ...right, index, message })))(
    '$operation on $resource $name',
    async ({ index, message }) => {
      const { count, user, rights } = await newSecured(index % 2 === 0 ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512');
      await grant(
        user,
        rights.filter((_, at) => at !== index),
        [kafka.bootstrap],
      );
      const run = count.job.start();
      const names: Readonly<Record<string, string>> = { JOB: count.job.name, INPUT: count.input, OUTPUT: count.output, USER: user };
      const expected = new RegExp((message?.source ?? '').replace(/JOB|INPUT|OUTPUT|USER/g, (word) => names[word] ?? word));
      if (rights[index]?.name === count.job.name) {
        // Only for lag tools: the job runs without it, and says so.
        await run.until('the warning', () => expected.test(run.told()) || undefined);
        return count.expectExact(run);
      }
      const { end, message: told } = await run.ended;
      expect({ end, told }).toEqual({ end: 'failed', told: expect.stringMatching(expected) });
    },
  );
});

describe('a job is refused at once, without its password in the message,', () => {
  it.each<[string, (secured: Secured) => Readonly<Record<string, string>>, RegExp]>([
    [
      'when the password is wrong',
      ({ user }) => {
        const file = join(folder, 'wrong.json');
        writeFileSync(file, JSON.stringify({ username: user, password: `not-${PASSWORD}` }));
        return { ONCEFLOW_KAFKA_CREDENTIALS_FILE: file };
      },
      /broker 127\.0\.0\.1:\d+ refused the login of user user-.*SCRAM.*[Aa]uthentication failed.*Check ONCEFLOW_KAFKA_SASL_MECHANISM, and user and password in/,
    ],
    [
      "when another authority signed the broker's certificate",
      () => ({ ONCEFLOW_KAFKA_CA_FILE: join(folder, 'another-ca.pem') }),
      /the certificate of broker 127\.0\.0\.1:\d+ is not to be trusted: .*self-signed certificate.*ONCEFLOW_KAFKA_CA_FILE must hold/,
    ],
  ])('%s', async (_what, change, message) => {
    const secured = await newSecured('SCRAM-SHA-512');
    const run = secured.count.job.start(change(secured));
    const { end, message: told } = await run.ended;
    expect({ end, told }).toEqual({ end: 'failed', told: expect.stringMatching(message) });
    expect(`${told} ${run.told()}`).not.toContain(PASSWORD);
  });
});

it('PLAIN over TLS logs in as well', async () => {
  const read = async () => JSON.stringify({ username: 'plain', password: PASSWORD });
  const credentials = createCredentialSource({ read, origin: 'the test', ttlMs: 60_000, clock: systemClock });
  const client = await connectKafka({
    brokers: [kafka.guarded ?? ''],
    clientId: 'plain',
    ssl: { ca: testCertificate },
    sasl: { mechanism: 'plain', credentials },
    clock: systemClock,
  });
  // It has no rights: the login is what is asked for.
  await expect(client.brokerConfig(['offsets.retention.minutes'])).rejects.toThrow(/to user plain \(CLUSTER_AUTHORIZATION_FAILED\)/);
  await client.close();
});

it('a secret that is rotated while the job runs is picked up without a restart, and every word is counted once', async () => {
  const at = [kafka.bootstrap];
  const { count, user, rights } = await newSecured('SCRAM-SHA-512');
  await grant(user, rights, at);
  const secrets = new SecretsManagerClient();
  const text = (password: string) => JSON.stringify({ username: user, password });
  const { ARN: arn = '' } = await secrets.send(new CreateSecretCommand({ Name: `AmazonMSK_${user}`, SecretString: text(PASSWORD) }));
  const run = count.job.start({ ONCEFLOW_KAFKA_CREDENTIALS_FILE: '', ONCEFLOW_KAFKA_SECRET_ARN: arn });
  await count.allCounted(run);
  const feed = count.feed();
  await setPassword(user, 'another-password', 'SCRAM-SHA-512', at);
  await run.until('a refused login', () => /uthentication failed/.test(run.told()) || undefined);
  await secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: text('another-password') }));
  const committed = run.eventsOf('committed').length;
  await run.until('epochs with the new password', () => run.eventsOf('committed').length > committed + 5 || undefined);
  await feed.stop();
  await count.expectExact(run);
  secrets.destroy();
});
