import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectKafka } from '../../lib/kafka/connect.ts';
import type { KafkaAnswer, KafkaRequests, ProducerIdentity } from '../../lib/ports/kafka-requests.ts';
import { retried, retriedAnswer } from '../../lib/ports/retry.ts';
import { type KafkaService, startKafka } from '../../local/stack/kafka.ts';
import { createTopics } from '../../local/stack/kafka-admin.ts';
import { type Keeper, openKeeper } from '../../local/stack/kept-process.ts';
import { brokerUnderTest } from '../contracts/kafka-transactions.ts';
import { leftOpenTests } from './left-open.ts';

const TOPIC = 'out';
const GROUP = 'requests';
const REQUEST_TIMEOUT_MS = 500;
/** How long a broker that comes back may take to be a coordinator again. */
const PATIENCE_MS = 30_000;
const clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const timing = { clock, random: { id: () => '', fraction: Math.random } };

let keeper: Keeper;
let broker: KafkaService;

beforeAll(async () => {
  keeper = await openKeeper();
  // For what a broker has left open, which cannot be made without it.
  broker = await startKafka(keeper, { settings: { 'transaction.partition.verification.enable': false } });
  await createTopics(broker.bootstrap, [{ topic: TOPIC, partitions: 1 }]);
});

afterAll(() => keeper?.close());

async function connect(): Promise<KafkaRequests> {
  const kafka = await connectKafka({
    brokers: [broker.bootstrap],
    clientId: 'chaos',
    clock,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    metadataMaxAgeMs: 0,
  });
  onTestFinished(() => kafka.close());
  return kafka;
}

const answered = (request: () => Promise<KafkaAnswer>) =>
  retriedAnswer({ ...timing, deadlineMs: clock.elapsedMs() + PATIENCE_MS }, request);

/** An open transaction. */
async function prepare(kafka: KafkaRequests, transactionalId: string): Promise<ProducerIdentity> {
  const begun = await retried({ ...timing, deadlineMs: clock.elapsedMs() + PATIENCE_MS }, () =>
    kafka.initProducerId(transactionalId, 600_000),
  );
  expect(begun.answer).toBe('NONE');
  const who = { transactionalId, producerId: begun.producerId, producerEpoch: begun.producerEpoch };
  expect(await answered(() => kafka.addPartitions(who, [{ topic: TOPIC, partition: 0 }]))).toBe('NONE');
  return who;
}

/** Every kind of request, while nobody answers. */
async function expectNoAnswers(kafka: KafkaRequests, who: ProducerIdentity): Promise<void> {
  expect(await kafka.endTxn(who, true)).toBe('NO_ANSWER');
  expect((await kafka.initProducerId('another', 60_000)).answer).toBe('NO_ANSWER');
  expect((await kafka.offsetFetch(GROUP, { topic: TOPIC, partition: 0 })).answer).toBe('NO_ANSWER');
  expect((await kafka.produce(who, 1, [{ topic: TOPIC, partition: 0, batch: Buffer.alloc(100) }])).answer).toBe('NO_ANSWER');
  for (const read of [kafka.partitionCount(TOPIC), kafka.groupOffsets(GROUP, TOPIC, [0]), kafka.brokerConfig(['log.dirs'])]) {
    await expect(read).rejects.toMatchObject({ code: 'NO_ANSWER', retriable: true, message: expect.stringContaining(broker.bootstrap) });
  }
}

describe('a broker', () => {
  it('that is killed answers nothing; the same client, and one that started meanwhile, go on after its restart with what was prepared before', async () => {
    const kafka = await connect();
    const who = await prepare(kafka, 'killed');
    await broker.kill();
    await expectNoAnswers(kafka, who);
    const startedMeanwhile = await connect();
    await expectNoAnswers(startedMeanwhile, who);
    await broker.restart();
    expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
    for (const client of [kafka, startedMeanwhile]) {
      expect(await answered(() => client.endTxn(who, true))).toBe('NONE');
      expect(await client.partitionCount(TOPIC)).toBe(1);
    }
  });

  it('that is frozen answers nothing within the request timeout, and the same client goes on when it thaws', async () => {
    const kafka = await connect();
    const who = await prepare(kafka, 'frozen');
    broker.freeze();
    onTestFinished(() => broker.thaw());
    // The signal takes a moment.
    await expect.poll(() => kafka.partitionCount(TOPIC).catch(() => 'silence'), { timeout: PATIENCE_MS }).toBe('silence');
    await expectNoAnswers(kafka, who);
    broker.thaw();
    // Whether the EndTxn in its socket was carried out is not known: that is what NO_ANSWER means. It may be repeated.
    expect(await answered(() => kafka.endTxn(who, true))).toBe('NONE');
  });
});

leftOpenTests(() => brokerUnderTest([broker.bootstrap]));
