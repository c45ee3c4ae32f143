import { describe, expect, it } from 'vitest';
import { createDynamoDbClient } from '../../../lib/aws/clients.ts';
import { createEpochStore } from '../../../lib/aws/dynamo-epoch-store.ts';
import { attributes } from '../../../lib/aws/dynamo-rows.ts';
import type { Decision, EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { connectionReset, type Scripted, type SentRequest, scripted, textOf } from '../../support/http-handlers.ts';

const decision: Decision = {
  job: 'word-count',
  incarnation: 'inc',
  generation: 7,
  epoch: 42,
  decisionId: 'd42',
  parentDecisionId: 'd41',
  leaseExpiresAtMs: 1_000,
  lastCommitted: 41,
  manifest: { at: 'blob', name: 'word-count/inc/manifest/0-42-n' },
  summary: { plannedAtMs: 1, decidedAtMs: 2, attempts: 1, recordsIn: 3, recordsOut: 4 },
};

const row: JobRow = {
  job: 'word-count',
  incarnation: 'inc',
  generation: 1,
  holder: 'host process 1',
  leaseExpiresAtMs: 1_000,
  desired: 'running',
  failure: undefined,
  lastCompleted: undefined,
  lastCommitted: 0,
  retiredThrough: -1,
  pool: {},
  fingerprint: 'f',
  maxParallelism: 128,
};

const item = ({ job, ...columns }: JobRow, extra: Record<string, unknown> = {}) => attributes({ pk: job, sk: 'job', ...columns, ...extra });

const refusal = (type: string, more: Record<string, unknown> = {}, status = 400) => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `${type} it is`, ...more },
});

const canceled = (...codes: string[]) => refusal('TransactionCanceledException', { CancellationReasons: codes.map((Code) => ({ Code })) });

const timeout = () => Object.assign(new Error('no answer within 5000 ms'), { name: 'TimeoutError' });

function storeOn(maxAttempts: number, ...script: [Scripted, ...Scripted[]]) {
  const { requestHandler, requests } = scripted(...script);
  const credentials = { accessKeyId: 'k', secretAccessKey: 's' };
  const client = createDynamoDbClient({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:4566', credentials, maxAttempts, requestHandler });
  const bodies = () => requests.map(textOf);
  return { store: createEpochStore({ client, table: 'the-table' }), bodies };
}

describe('a decision', () => {
  it.each<[string, Scripted]>([
    ['a connection that is reset', connectionReset()],
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['a timeout', timeout()],
    ['an error of the server', refusal('InternalServerError', {}, 500)],
    ['an answer of a proxy', { status: 503, body: '<html>down</html>' }],
    ['an answer that cannot be read', { status: 200, body: '{"Attr' }],
    ['throttling', refusal('ThrottlingException')],
    ['a request that is in progress', refusal('TransactionInProgressException')],
    ['a conflict with another transaction', canceled('TransactionConflict', 'None')],
    ['too many requests, by whatever name', refusal('SlowDownPlease', {}, 429)],
    ['throttling inside the transaction', canceled('None', 'ThrottlingError')],
    ['a cancellation without reasons', refusal('TransactionCanceledException')],
  ])('is ambiguous after %s', async (_what, answer) => {
    expect(await storeOn(1, answer).store.decide(decision)).toBe('ambiguous');
  });

  it.each([
    ['the job row', canceled('None', 'ConditionalCheckFailed')],
    ['the row of the epoch', canceled('ConditionalCheckFailed', 'None')],
    ['one of them, while the other conflicts', canceled('TransactionConflict', 'ConditionalCheckFailed')],
  ])('is refused when a condition failed on %s', async (_what, answer) => {
    expect(await storeOn(1, answer).store.decide(decision)).toBe('refused');
  });

  it.each([
    ['ValidationException', /see the message, and check ONCEFLOW_TABLE/],
    ['AccessDeniedException', /give the role dynamodb:PutItem, dynamodb:UpdateItem/],
    ['ResourceNotFoundException', /create it, or correct ONCEFLOW_TABLE, AWS_REGION or AWS_ENDPOINT_URL/],
    ['UnrecognizedClientException', /correct the credentials/],
    ['IdempotentParameterMismatchException', /one decision id was sent with two contents/],
  ])('that %s forbids is thrown back with what to change, and not repeated', async (type, mend) => {
    const { store, bodies } = storeOn(4, refusal(type));
    const problem = await store.decide(decision).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(StoreProblem);
    expect(problem).toMatchObject({ retriable: false, message: expect.stringMatching(mend) });
    expect(problem).toMatchObject({
      message: expect.stringContaining(
        `DynamoDB TransactWriteItems on table the-table (ONCEFLOW_TABLE; region eu-west-1, endpoint http://127.0.0.1:4566) failed: ${type}: ${type} it is`,
      ),
    });
    expect(bodies()).toHaveLength(1);
  });

  it('that DynamoDB cannot carry out is thrown back', async () => {
    const { store } = storeOn(1, canceled('ValidationError', 'None'));
    await expect(store.decide(decision)).rejects.toMatchObject({ name: 'StoreProblem', retriable: false });
  });

  it('is sent byte for byte the same again, by the SDK and by the caller', async () => {
    const { store, bodies } = storeOn(2, connectionReset(), refusal('InternalServerError', {}, 500), { status: 200 });
    expect(await store.decide(decision)).toBe('ambiguous');
    expect(await store.decide({ ...decision })).toBe('decided');
    expect(bodies()).toHaveLength(3);
    expect(new Set(bodies()).size).toBe(1);
  });

  it('has a token of its own', async () => {
    const { store, bodies } = storeOn(1, { status: 200 });
    for (const change of [{}, { decisionId: 'd43' }, { job: 'other' }, { incarnation: 'other' }])
      await store.decide({ ...decision, ...change });
    const tokens = bodies().map((body) => (JSON.parse(body) as { ClientRequestToken: string }).ClientRequestToken);
    expect(new Set(tokens).size).toBe(4);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{1,36}$/);
  });

  it('does not hide an error of our own behind "ambiguous"', async () => {
    const defect = new TypeError('undefined is not a function');
    await expect(storeOn(1, defect).store.decide(decision)).rejects.toBe(defect);
  });
});

describe('the epoch store', () => {
  it('throws a retriable problem when DynamoDB stays unreachable, after the attempts that it was given', async () => {
    const { store, bodies } = storeOn(2, connectionReset());
    const problem = await store.readJob('word-count').catch((error: unknown) => error);
    expect(problem).toMatchObject({
      name: 'StoreProblem',
      retriable: true,
      message: expect.stringMatching(/GetItem on table the-table.*socket hang up; it may succeed later/),
    });
    expect(bodies()).toHaveLength(2);
  });

  it('repeats a write that ran into a transaction on the row', async () => {
    const { store, bodies } = storeOn(1, refusal('TransactionConflictException'), refusal('TransactionConflictException'), { status: 200 });
    expect(await store.renewLease('word-count', 7, 1_000)).toBe('written');
    expect(bodies()).toHaveLength(3);
  });

  it('gives up a write that runs into one transaction after another', async () => {
    const { store } = storeOn(1, refusal('TransactionConflictException'));
    await expect(store.renewLease('word-count', 7, 1_000)).rejects.toMatchObject({ name: 'StoreProblem', retriable: true });
  });

  it('takes a row of its own first try for created, and a row of another for existing', async () => {
    const found = (existing: JobRow) => refusal('ConditionalCheckFailedException', { Item: item(existing) });
    expect(await storeOn(1, found(row)).store.createJob(row)).toBe('created');
    expect(await storeOn(1, found({ ...row, incarnation: 'other' })).store.createJob(row)).toBe('exists');
    expect(await storeOn(1, found({ ...row, generation: 2 })).store.createJob(row)).toBe('exists');
  });

  it('does not take a generation that another coordinator raised in the same way for its own', async () => {
    const theirs = refusal('ConditionalCheckFailedException', { Item: item({ ...row, generation: 2 }, { claim: 'theirs' }) });
    expect(await storeOn(1, theirs).store.reviveGeneration('word-count', row, row.holder, row.leaseExpiresAtMs)).toBeUndefined();
  });

  it('knows what a build of before has written into the row since this one has', async () => {
    const earlier = { pool: { write: 3, copy: 1 }, sinkTopics: { write: ['out'], copy: ['copies'] } };
    const own = { kafka: { write: { subtasks: 1, places: ['out', 'later'] } } };
    const both = {
      kafka: { write: { subtasks: 3, places: ['out', 'later'] }, copy: { subtasks: 1, places: ['copies'] } },
    };
    const found = { status: 200, body: { Item: item({ ...row }, { ...earlier, sinkPool: own }) } };
    expect((await storeOn(1, found).store.readJob(row.job))?.pool).toEqual(both);

    const { store, bodies } = storeOn(1, found, { status: 200 });
    expect(await store.widenPool(row.job, 1, { kafka: { dead: { subtasks: 1, places: ['dead'] } } })).toBe('written');
    const { ExpressionAttributeValues: values } = JSON.parse(bodies()[1] ?? '') as { readonly ExpressionAttributeValues: object };
    expect(values).toMatchObject(
      attributes({ ':wider': { kafka: { ...both.kafka, dead: { subtasks: 1, places: ['dead'] } } }, ':seen': own }),
    );
  });

  describe('that takes a generation by a call without an answer', () => {
    const take = (store: EpochStore) => store.reviveGeneration(row.job, row, 'tick 0815', 5_000);
    const claimIn = (body: string) => /":claim":\{"S":"([^"]+)"/.exec(body)?.[1];
    /** An answer that is lost, and one that says the row is this one by then, with the claim of the call whose answer was lost. */
    function claiming(now: JobRow) {
      let claim: string | undefined;
      const lost = (request: SentRequest): Scripted => {
        claim = claimIn(textOf(request));
        return timeout();
      };
      return { lost, found: () => refusal('ConditionalCheckFailedException', { Item: item(now, { claim }) }) };
    }

    it('knows it when it asks again', async () => {
      const { lost, found } = claiming({ ...row, generation: 2 });
      const { store, bodies } = storeOn(1, lost, found);
      await expect(take(store)).rejects.toThrow(StoreProblem);
      expect(await take(store)).toMatchObject({ generation: 2 });
      const claims = bodies().map(claimIn);
      expect(claims[0]).toBeDefined();
      expect(claims[1]).toBe(claims[0]);
    });

    it('does not take the next one for it, which a build took that knows no claims, and left this one in the row', async () => {
      const { lost, found } = claiming({ ...row, generation: 3 });
      const { store } = storeOn(1, lost, found);
      await expect(take(store)).rejects.toThrow(StoreProblem);
      expect(await take(store)).toBeUndefined();
    });

    it('knows it also when a call in between was refused, which came before the first', async () => {
      const stopped = refusal('ConditionalCheckFailedException', { Item: item({ ...row, desired: 'stopped' }) });
      const { lost, found } = claiming({ ...row, generation: 2 });
      const { store } = storeOn(1, lost, stopped, found);
      await expect(take(store)).rejects.toThrow(StoreProblem);
      expect(await take(store)).toBeUndefined();
      expect(await take(store)).toMatchObject({ generation: 2 });
    });
  });

  it('gives up when other coordinators take the job over again and again', async () => {
    const theirs = refusal('ConditionalCheckFailedException', { Item: item({ ...row, generation: 2 }, { claim: 'theirs' }) });
    const { store } = storeOn(1, { status: 200, body: { Item: item(row) } }, theirs);
    await expect(store.raiseGeneration('word-count', 'h', 1)).rejects.toMatchObject({ name: 'StoreProblem', retriable: true });
  });

  it.each<[string, Record<string, unknown>]>([
    ['a column that is missing', { generation: undefined }],
    ['a column of another type', { lastCommitted: 'three' }],
    ['a state that does not exist', { desired: 'paused' }],
  ])('refuses a row with %s, naming it', async (_what, change) => {
    const { store } = storeOn(1, { status: 200, body: { Item: item(row, change) } });
    await expect(store.readJob('word-count')).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message: expect.stringMatching(/the row word-count \/ job is not one that this build wrote: .*(generation|lastCommitted|desired)/s),
    });
  });

  it('refuses a manifest of a later version', async () => {
    const epoch = {
      pk: 'word-count',
      sk: 'epoch#inc#000000000042',
      epoch: 42,
      decisionId: 'd',
      manifest: '{"version":4}',
      summary: decision.summary,
    };
    const { store } = storeOn(1, { status: 200, body: { Item: attributes(epoch) } });
    await expect(store.readEpoch('word-count', 'inc', 42)).rejects.toThrow(/it is no manifest of version 1, 2 or 3: version/);
  });
});
