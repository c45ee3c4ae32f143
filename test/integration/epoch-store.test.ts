import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDynamoDbClient } from '../../lib/aws/clients.ts';
import { createEpochStore } from '../../lib/aws/dynamo-epoch-store.ts';
import { createJobRemoval } from '../../lib/aws/dynamo-job-removal.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import type { EpochStore, JobRow } from '../../lib/ports/epoch-store.ts';
import { decisionOf, newJobRow, poolOf } from '../contracts/epoch-rows.ts';
import { epochStoreContract } from '../contracts/epoch-store.ts';
import { jobRemovalContract } from '../contracts/job-removal.ts';
import { savepointStoreContract } from '../contracts/savepoint-store.ts';
import { holdingBack, losingAnswers, type SentRequest } from '../support/http-handlers.ts';
import { requireEnv } from '../support/require-env.ts';

const table = `onceflow-${randomUUID()}`;

describe.each([
  ['the DynamoDB of the stack (AWS_ENDPOINT_URL)', requireEnv('AWS_ENDPOINT_URL')],
  ['DynamoDB Local (ONCEFLOW_DYNAMODB_LOCAL)', requireEnv('ONCEFLOW_DYNAMODB_LOCAL')],
])('the epoch store on %s', (_name, endpoint) => {
  epochStoreContract(async () => {
    const client = createDynamoDbClient({ endpoint });
    await createTable(client, table);
    return createEpochStore({ client, table });
  });

  /** A store whose first `lost` answers are lost after the request was carried out; `maxAttempts` is the SDK's. */
  function storeThatLoses(lost: number, maxAttempts: number): EpochStore {
    let left = lost;
    const real = createDynamoDbClient({ endpoint });
    const requestHandler = losingAnswers(real.config.requestHandler, () => left-- > 0);
    return createEpochStore({ client: createDynamoDbClient({ endpoint, maxAttempts, requestHandler }), table });
  }

  const store = createEpochStore({ client: createDynamoDbClient({ endpoint }), table });

  describe('when an answer is lost', () => {
    it('a decision is ambiguous, and decided when it is repeated, once', async () => {
      const row = newJobRow();
      await store.createJob(row);
      const decision = decisionOf(row);
      const losing = storeThatLoses(1, 1);
      expect(await losing.decide(decision)).toBe('ambiguous');
      expect(await losing.decide(decision)).toBe('decided');
      expect(await store.listEpochs(row.job, row.incarnation, -1)).toHaveLength(1);
    });

    it('a decision that the SDK repeats by itself is decided', async () => {
      const row = newJobRow();
      await store.createJob(row);
      expect(await storeThatLoses(2, 4).decide(decisionOf(row))).toBe('decided');
    });

    it('a decision that came too late is refused, not ambiguous for ever', async () => {
      const row = newJobRow();
      await store.createJob(row);
      await store.raiseGeneration(row.job, 'successor', 1);
      const losing = storeThatLoses(1, 1);
      expect(await losing.decide(decisionOf(row))).toBe('ambiguous');
      expect(await losing.decide(decisionOf(row))).toBe('refused');
    });

    it('a new job is created, by the same call', async () => {
      const row = newJobRow();
      expect(await storeThatLoses(1, 2).createJob(row)).toBe('created');
    });

    it('a generation is raised once, and held', async () => {
      const row = newJobRow();
      await store.createJob(row);
      const reading = 1;
      const raised = await storeThatLoses(reading + 1, 3).raiseGeneration(row.job, 'second', 5);
      expect(raised.generation).toBe(2);
      expect(await storeThatLoses(1, 2).reviveGeneration(row.job, { ...row, generation: 2 }, 'third', 6)).toMatchObject({
        generation: 3,
        holder: 'third',
      });
      expect(await store.readJob(row.job)).toMatchObject({ generation: 3, holder: 'third' });
    });

    it('a generation that was taken by a call without an answer is known by the next call, and by nobody else of that name', async () => {
      const row = newJobRow();
      await store.createJob(row);
      const losing = storeThatLoses(1, 1);
      await expect(losing.reviveGeneration(row.job, row, 'tick 0815', 5)).rejects.toMatchObject({ name: 'StoreProblem', retriable: true });
      expect(await store.reviveGeneration(row.job, row, 'tick 0815', 5)).toBeUndefined();
      expect(await losing.reviveGeneration(row.job, row, 'tick 0815', 5)).toMatchObject({ generation: 2, holder: 'tick 0815' });
      expect(await losing.renewLease(row.job, 2, 9)).toBe('written');
    });

    it('the writes of the holder are written, and never answered with "superseded"', async () => {
      let row = newJobRow();
      await store.createJob(row);
      for (let epoch = 0; epoch <= 2; epoch++) {
        await store.decide(decisionOf(row));
        row = (await store.readJob(row.job)) ?? row;
      }
      expect(await storeThatLoses(1, 2).recordCommitted(row.job, 1, 2)).toBe('written');
      expect(await storeThatLoses(1, 2).retireThrough(row.job, 1, 1)).toBe('written');
      expect(await storeThatLoses(3, 4).widenPool(row.job, 1, poolOf({ sink: 2 }, { sink: ['out'] }))).toBe('written');
      expect(await storeThatLoses(1, 2).renewLease(row.job, 1, 77)).toBe('written');
      expect(await store.readJob(row.job)).toEqual({
        ...row,
        lastCommitted: 2,
        retiredThrough: 1,
        pool: poolOf({ sink: 2 }, { sink: ['out'] }),
        leaseExpiresAtMs: 77,
      });
    });
  });

  describe('a try that the network delivers late changes nothing, after', () => {
    /** The job with epochs 0 to 4 decided, up to 3 committed. */
    async function jobWithEpochs(): Promise<JobRow> {
      let row = newJobRow();
      await store.createJob(row);
      for (let epoch = 0; epoch <= 4; epoch++) {
        await store.decide(decisionOf(row));
        row = (await store.readJob(row.job)) ?? row;
      }
      return row;
    }

    it.each<[string, (store: EpochStore, row: JobRow) => Promise<unknown>, (row: JobRow) => Promise<unknown>]>([
      [
        'the pool was widened further',
        (slow, { job }) => slow.widenPool(job, 1, poolOf({ sink: 2 })),
        ({ job }) => store.widenPool(job, 1, poolOf({ sink: 5 })),
      ],
      ['a later epoch was committed', (slow, { job }) => slow.recordCommitted(job, 1, 3), ({ job }) => store.recordCommitted(job, 1, 4)],
      ['a later epoch was retired', (slow, { job }) => slow.retireThrough(job, 1, 1), ({ job }) => store.retireThrough(job, 1, 2)],
      [
        'the next epoch was decided',
        (slow, row) => slow.decide(decisionOf(row)),
        async ({ job }) => {
          const row = await store.readJob(job);
          return row === undefined ? 'no row' : store.decide(decisionOf(row));
        },
      ],
      ['its repetition raised the generation', (slow, { job }) => slow.raiseGeneration(job, 'h', 1), async () => 'written'],
      ['its repetition revived the job', (slow, row) => slow.reviveGeneration(row.job, row, 'h', 1), async () => 'written'],
      [
        'its repetition stopped the job, and somebody started it since',
        (slow, { job }) => slow.setDesired(job, 'stopped'),
        ({ job }) => store.setDesired(job, 'running'),
      ],
      [
        'its repetition let the job run, and somebody stopped it since',
        (slow, { job }) => slow.setDesired(job, 'running'),
        ({ job }) => store.setDesired(job, 'stopped'),
      ],
      [
        'its repetition let the job run, which has failed since',
        (slow, { job }) => slow.letRun(job, 1, 0),
        ({ job }) => store.releaseLease(job, 1, { desired: 'as-it-is', failure: 'no such topic' }),
      ],
      [
        'its repetition let the job run, which was stopped by a signal since',
        (slow, { job }) => slow.letRun(job, 1, 0),
        ({ job }) => store.releaseLease(job, 1, { desired: 'stopped', failure: undefined }),
      ],
      [
        'another coordinator raised the generation',
        (slow, { job }) => slow.renewLease(job, 1, 1),
        async ({ job }) => {
          const row = await store.raiseGeneration(job, 'successor', 9);
          return row.generation === 2 ? 'written' : row;
        },
      ],
    ])('%s', async (_what, first, then) => {
      const row = await jobWithEpochs();
      const real = createDynamoDbClient({ endpoint });
      const isWrite = ({ headers }: SentRequest) => /Update|TransactWrite/.test(headers['x-amz-target'] ?? '');
      const { requestHandler, deliver } = holdingBack(real.config.requestHandler, isWrite);
      await first(createEpochStore({ client: createDynamoDbClient({ endpoint, requestHandler }), table }), row);
      expect(await then(row)).toMatch(/^(written|decided)$/);
      const before = await store.readJob(row.job);
      await deliver();
      expect(await store.readJob(row.job)).toEqual(before);
    });
  });

  describe('savepoints', () => {
    savepointStoreContract(async () => createEpochStore({ client: createDynamoDbClient({ endpoint }), table }));
  });

  describe('the removal of a job', () => {
    jobRemovalContract(async () => ({
      store: createEpochStore({ client: createDynamoDbClient({ endpoint }), table }),
      another: createEpochStore({ client: createDynamoDbClient({ endpoint }), table }),
      removal: createJobRemoval({ client: createDynamoDbClient({ endpoint }), table }),
    }));
  });

  it('names the table that is missing, where it looked and the option', async () => {
    const lost = createEpochStore({ client: createDynamoDbClient({ endpoint }), table: 'no-such-table' });
    await expect(lost.readJob('word-count')).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message: expect.stringMatching(
        new RegExp(
          `GetItem on table no-such-table \\(ONCEFLOW_TABLE; region [-a-z0-9]+, endpoint ${endpoint}\\) failed: ResourceNotFoundException: .*; create it`,
        ),
      ),
    });
  });

  it('makes a table that exists no error', async () => {
    const client = createDynamoDbClient({ endpoint });
    await createTable(client, table);
  });
});

describe('the epoch store on an address where nothing listens', () => {
  it('throws a retriable problem that names the endpoint', async () => {
    const client = createDynamoDbClient({ endpoint: 'http://127.0.0.1:9', maxAttempts: 2 });
    await expect(createEpochStore({ client, table }).readJob('word-count')).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: true,
      message: expect.stringContaining('endpoint http://127.0.0.1:9) failed: '),
    });
  });
});
