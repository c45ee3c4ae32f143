import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaService, startKafka } from '../../../local/stack/kafka.ts';
import { type Keeper, openKeeper } from '../../../local/stack/kept-process.ts';
import { afterDecision, planFault } from '../../support/faults.ts';
import { committedOffsets } from '../../support/group-offsets.ts';
import { grant, type Right, setPassword } from '../../support/guarded-kafka.ts';
import { newJob, SHORT_TRANSACTIONS } from '../../support/job.ts';
import { brokers } from '../../support/kafka-wire.ts';
import { onceflow } from '../../support/onceflow.ts';
import { TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic, send, uniqueName } from '../../support/topics.ts';
import { openTransactions } from '../../support/transactions.ts';
import { countWords, EXACT, faultsOf, someLines, totalOf } from '../../support/word-counts.ts';
import { testCertificate, testKey } from '../../unit/kafka/certificate.ts';

/** A cluster of its own, with TLS, logins and an authorizer, beside the one of the stack. */
let keeper: Keeper;
let kafka: KafkaService;
let folder: string;
const PASSWORD = 'hunter2-hunter2';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'onceflow-clusters-'));
  writeFileSync(join(folder, 'ca.pem'), testCertificate);
  keeper = await openKeeper();
  kafka = await startKafka(keeper, { guard: { key: testKey, certificate: testCertificate, plainUsers: {}, sessionMs: 60_000 } });
});

afterAll(async () => {
  await keeper?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function newTwoClusters() {
  const there = [kafka.bootstrap];
  const user = uniqueName('user');
  const file = join(folder, `${user}.json`);
  writeFileSync(file, JSON.stringify({ username: user, password: PASSWORD }));
  const [linesHere, countsHere, linesThere, countsThere] = await Promise.all([
    newTopic('lines'),
    newTopic('counts'),
    newTopic('lines', { at: there }),
    newTopic('counts', { at: there }),
    setPassword(user, PASSWORD, 'SCRAM-SHA-512', there),
  ]);
  const topics = { 'read-here': linesHere, 'read-there': linesThere, 'write-here': countsHere, 'write-there': countsThere };
  const job = await newJob('test/support/two-clusters-job.ts', topics, {
    ...SHORT_TRANSACTIONS,
    ONCEFLOW_KAFKA_GUARDED_BROKERS: kafka.guarded ?? '',
    ONCEFLOW_KAFKA_GUARDED_SECURITY_PROTOCOL: 'SASL_SSL',
    ONCEFLOW_KAFKA_GUARDED_SASL_MECHANISM: 'SCRAM-SHA-512',
    ONCEFLOW_KAFKA_GUARDED_CA_FILE: join(folder, 'ca.pem'),
    ONCEFLOW_KAFKA_GUARDED_CREDENTIALS_FILE: file,
  });
  const right = (operation: Right['operation'], resource: Right['resource'], name: string, prefixed = false): Right => ({
    operation,
    resource,
    name,
    prefixed,
  });
  const rights = [
    right('Read', 'topic', linesThere),
    ...(['Read', 'Write', 'DescribeConfigs'] as const).map((operation) => right(operation, 'topic', countsThere)),
    right('Write', 'transactional-id', `${job.name}-`, true),
    right('Read', 'group', job.name),
    right('DescribeConfigs', 'cluster', 'kafka-cluster'),
  ];
  await grant(user, rights, there);
  const [producerHere, producerThere] = await Promise.all([newProducer(), newProducer(undefined, there)]);
  return {
    job,
    linesHere,
    linesThere,
    readers: [new TopicReader(countsHere), new TopicReader(countsThere, 'committed', there)],
    inputs: [new TopicReader(linesHere), new TopicReader(linesThere, 'committed', there)],
    async write(some: readonly string[]) {
      const half = Math.ceil(some.length / 2);
      await Promise.all([send(producerHere, linesHere, some.slice(0, half)), send(producerThere, linesThere, some.slice(half))]);
    },
  };
}

type TwoClusters = Awaited<ReturnType<typeof newTwoClusters>>;

/** By what the topics hold: to a broker that has just started the test's producer may have sent a line twice. */
async function expectBothExact({ job, readers, inputs }: TwoClusters, run: ReturnType<TwoClusters['job']['start']>): Promise<void> {
  for (const input of inputs) await input.readOn();
  const lines = inputs.flatMap(({ values }) => values);
  const total = totalOf(countWords(lines));
  for (const reader of readers) await reader.readUntil(({ records }) => records.length >= total);
  await run.stop();
  for (const reader of readers) {
    await reader.readOn();
    expect(faultsOf(reader.records, lines)).toEqual(EXACT);
  }
  expect(await openTransactions(job.name)).toEqual([]);
  expect(await openTransactions(job.name, [kafka.bootstrap])).toEqual([]);
}

describe('a job on two clusters, of which one wants a login', () => {
  it('is exact in both when everything is killed between decision and commits; offsets and tools are of the right one', async () => {
    const all = await newTwoClusters();
    const { job, write, linesHere, linesThere } = all;
    await write(someLines(40));
    const fault = planFault({ ...afterDecision(2), does: 'kill-all' });
    const first = job.start(fault.env);
    for (let seed = 2; (await Promise.race([first.ended, pause()])) === undefined; seed++) await write(someLines(10, seed));
    await fault.happened();
    const run = job.start();
    await run.event('recovered');
    await write(someLines(20, 999));
    const doctor = await onceflow(job.env, 'doctor', '--json');
    const findings = doctor.json()['findings'] as { what: string; is: string; found: string }[];
    expect(findings.filter(({ is }) => is === 'wrong')).toEqual([]);
    expect(findings.some(({ what, is }) => what.startsWith('cluster guarded: broker ') && is === 'well')).toBe(true);
    expect(findings.some(({ what, is }) => what === 'cluster guarded: transaction' && is === 'well')).toBe(true);
    expect(findings.some(({ what }) => what.startsWith(`topic guarded/${linesThere} (source)`))).toBe(true);
    const lag = await onceflow(job.env, 'lag', '--json');
    expect({ code: lag.code, stderr: lag.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.stringify(lag.json())).toContain(`guarded/${linesThere}`);
    const transactions = await onceflow(job.env, 'transactions', '--json');
    const ids = (transactions.json()['transactions'] as { transactionalId: string }[]).map(({ transactionalId }) => transactionalId);
    expect(ids.filter((id) => id.startsWith(`guarded/${job.name}-`))).toHaveLength(2);
    expect(ids.filter((id) => id.startsWith(`${job.name}-`))).toHaveLength(2);
    await expectBothExact(all, run);
    // Each source's offsets are where its topic is.
    expect((await committedOffsets(job.name, linesHere, brokers())).some((offset) => offset > 0)).toBe(true);
    expect((await committedOffsets(job.name, linesThere, [kafka.bootstrap])).some((offset) => offset > 0)).toBe(true);
  }, 180_000);

  it('waits while one of them is away, says which, and goes on', async () => {
    const all = await newTwoClusters();
    const { job, write } = all;
    await write(someLines(20));
    const run = job.start();
    await run.event('committed', ({ epoch }) => epoch >= 1);
    await kafka.kill();
    await run.until('what it waits for', () => /cluster guarded: /.test(run.told()) || undefined);
    await kafka.restart();
    await write(someLines(20, 2));
    await expectBothExact(all, run);
  }, 180_000);
});

function pause(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 60));
}
