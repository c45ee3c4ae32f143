import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import { createBucket } from '../../lib/aws/s3-blob-store.ts';
import { type EmulatorService, startEmulator } from '../../local/stack/emulator.ts';
import { type KafkaService, startKafka } from '../../local/stack/kafka.ts';
import { type Keeper, openKeeper } from '../../local/stack/kept-process.ts';
import { TEST_TABLE } from '../support/epochs.ts';
import { afterDecision, planFault } from '../support/faults.ts';
import { SHORT_TRANSACTIONS } from '../support/job.ts';
import { uniqueName } from '../support/topics.ts';
import { preparedId, stateOf } from '../support/transactions.ts';
import { waitFor } from '../support/wait-for.ts';
import { newWordCount } from '../support/word-count-run.ts';
import { someLines } from '../support/word-counts.ts';

/**
 * `LONG_OUTAGES=1 npm test -- test/chaos/outages`: as long as outages are, not as long as a test run may be; and one test
 * more.
 */
const LONG = process.env['LONG_OUTAGES'] === '1';
const BROKER_DOWN_SECONDS = LONG ? 20 : 2;
/** Longer than the AWS client waits for an answer. */
const FROZEN_SECONDS = LONG ? 45 : 6;
const TEST_TIMEOUT_MS = 120_000;
/** In which the coordinator sleeps. */
const EPOCH = 3;

/** A broker that was killed may come back when its session is over; transactions are aborted soon after their timeout. */
const QUICK = {
  'broker.session.timeout.ms': 1500,
  'broker.heartbeat.interval.ms': 300,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
};

let keeper: Keeper;
beforeAll(async () => {
  keeper = await openKeeper();
});
afterAll(() => keeper?.close());

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, 1000 * count));

describe('a broker that is killed and comes back', () => {
  let broker: KafkaService;
  beforeAll(async () => {
    broker = await startKafka(keeper, { settings: QUICK });
  });
  // The next suite needs none of it.
  afterAll(() => broker?.kill());

  it(
    'holds a job up, which says so and loses and repeats nothing',
    async () => {
      const count = await newWordCount({ at: [broker.bootstrap] });
      const run = count.job.start();
      for (let chunk = 0; chunk < 3; chunk++) {
        await count.write(someLines(200, chunk));
        await run.event('committed', ({ epoch }) => epoch > chunk);
      }
      await count.write(someLines(2000, 4));
      await broker.kill();
      await seconds(BROKER_DOWN_SECONDS);
      await broker.restart();
      await count.write(someLines(200, 5));
      await count.expectExact(run);
      const said = run.eventsOf('waiting').map(({ what }) => what);
      expect(said[0]).toContain(`no answer from the brokers ${broker.bootstrap}`);
    },
    TEST_TIMEOUT_MS,
  );

  if (LONG) {
    it(
      'after longer than the transaction timeout has aborted what was decided: it is published again, once',
      async () => {
        const at = [broker.bootstrap];
        const count = await newWordCount({ at, env: SHORT_TRANSACTIONS });
        const frozen = planFault({ ...afterDecision(EPOCH), does: 'stop-itself' });
        const feed = count.feed();
        const run = count.job.start(frozen.env);
        const coordinator = await frozen.happened();
        await feed.stop();
        const transactionalId = await preparedId(count.job.name, EPOCH, at);
        await broker.kill();
        await seconds(BROKER_DOWN_SECONDS);
        await broker.restart();
        await waitFor('the broker to abort it', async () => (await stateOf(transactionalId, at)) === 'CompleteAbort');
        process.kill(coordinator, 'SIGCONT');
        expect(await run.event('committed', ({ epoch }) => epoch === EPOCH)).toMatchObject({ republished: 1 });
        await count.expectExact(run);
      },
      TEST_TIMEOUT_MS,
    );
  }
});

describe('an AWS endpoint that freezes and thaws', () => {
  let emulator: EmulatorService;
  beforeAll(async () => {
    emulator = await startEmulator(keeper);
  });

  it(
    'holds a job up, and loses and repeats nothing of it',
    async () => {
      const { endpoint } = emulator;
      const bucket = uniqueName('blobs');
      await Promise.all([createBucket(createS3Client({ endpoint }), bucket), createTable(createDynamoDbClient({ endpoint }), TEST_TABLE)]);
      const count = await newWordCount({
        env: { AWS_ENDPOINT_URL: endpoint, ONCEFLOW_BLOBS: `s3://${bucket}`, ONCEFLOW_INLINE_BLOB_BYTES: '0' },
      });
      const run = count.job.start();
      const feed = count.feed();
      await run.event('committed', ({ epoch }) => epoch === 3);
      emulator.freeze();
      await seconds(FROZEN_SECONDS);
      emulator.thaw();
      const committed = run.eventsOf('committed').length;
      await run.until('another epoch', () => run.eventsOf('committed').length > committed || undefined);
      await feed.stop();
      await count.expectExact(run);
      if (LONG) {
        const said = run.eventsOf('warning').map(({ message }) => message);
        expect(said[0]).toContain(`endpoint ${endpoint}`);
      }
    },
    TEST_TIMEOUT_MS,
  );
});
