import { createHash, randomUUID } from 'node:crypto';
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { checkDecision } from '../ports/check-decision.ts';
import type { DecideAnswer, Decision, EpochRow, EpochStore, FencedWrite, JobRow, Rescale, SentAgain } from '../ports/epoch-store.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { type Pool, widened } from '../protocol/pool.ts';
import { awsFaultOf } from './aws-problem.ts';
import { fencedUpdate, type Holder, holding, isHeld, readItem, readJob, rememberTaken, STOPPED_NO_MORE } from './dynamo-held.ts';
import {
  type Attributes,
  attributes,
  decodeEpoch,
  decodeJob,
  encodeEpoch,
  encodeJob,
  epochKey,
  epochSortKey,
  jobKey,
  MAX_EPOCH,
  NO_END,
  POOL_ATTRIBUTE,
  TTL_ATTRIBUTE,
} from './dynamo-rows.ts';
import { createSavepointStore } from './dynamo-savepoints.ts';
import { cancellationCodes, conditional, noSuchJob, problem, type Store, send } from './dynamo-send.ts';

/** More than the coordinators that could ever contend for one job; each failed try means that another one succeeded. */
const MAX_TAKEOVER_TRIES = 100;
/** Only this generation's own late writes can be in the way of its next. */
const MAX_POOL_TRIES = 10;

/** Jobs and epochs in one DynamoDB table. Every failed call throws a `StoreProblem` that says what to change. */
export function createEpochStore({ client, table }: { readonly client: DynamoDBClient; readonly table: string }): EpochStore {
  const store = { client, table, incarnations: new Map<string, string>(), claims: new Map<string, string>() };
  return {
    readJob: (job) => readJob(store, job),
    createJob: (row) => createJob(store, row),
    raiseGeneration: (job, holder, leaseExpiresAtMs, holderEndsAtMs = NO_END) =>
      raiseGeneration(store, job, { holder, leaseExpiresAtMs, holderEndsAtMs }),
    reviveGeneration: async (job, expected, holder, leaseExpiresAtMs, holderEndsAtMs = NO_END) => {
      const seen = { job, ...seenIn(expected), said: { desired: expected.desired, failure: expected.failure } };
      const taken = await takeGeneration(store, seen, 'SET', { holder, leaseExpiresAtMs, holderEndsAtMs });
      return taken.outcome === 'taken' ? taken.row : undefined;
    },
    startGeneration: async (job, expected, holder, leaseExpiresAtMs, holderEndsAtMs = NO_END) => {
      const lease = { holder, leaseExpiresAtMs, holderEndsAtMs };
      const taken = await takeGeneration(store, { job, ...seenIn(expected) }, LET_RUN, { ...lease, desired: 'running' });
      return taken.outcome === 'taken' ? taken.row : undefined;
    },
    renewLease: (job, generation, leaseExpiresAtMs, underWay) => {
      const sets = `SET leaseExpiresAtMs = :lease${underWay === undefined ? '' : ', underWay = :underWay'}`;
      return fencedUpdate(store, job, generation, sets, { ':lease': leaseExpiresAtMs, ':underWay': underWay });
    },
    releaseLease: (job, generation, { desired, failure }) => {
      const sets = ['leaseExpiresAtMs = :zero'];
      const isStop = desired === 'stopped';
      if (isStop) sets.push('desired = :desired');
      if (failure !== undefined) sets.push('failure = :failure');
      const values = { ':zero': 0, ':desired': isStop ? desired : undefined, ':failure': failure, ':one': isStop ? 1 : undefined };
      return fencedUpdate(store, job, generation, `SET ${sets.join(', ')}${isStop ? ' ADD stops :one' : ''}`, values);
    },
    setDesired: (job, desired, incarnation) => setDesired(store, job, desired, incarnation),
    letRun: (job, generation, afterStops) => letRun(store, job, generation, afterStops),
    askRescale: (job, incarnation, rescale, seen) => askRescale(store, job, incarnation, rescale, seen),
    recordScale: (job, generation, scale) => fencedUpdate(store, job, generation, 'SET scale = :scale', { ':scale': scale }),
    widenPool: (job, generation, pool) => widenPool(store, job, generation, pool),
    setFingerprint: (job, generation, fingerprint) =>
      fencedUpdate(store, job, generation, 'SET fingerprint = :fingerprint', { ':fingerprint': fingerprint }),
    recordNoProgress: (job, generation, noProgress) =>
      noProgress === undefined
        ? fencedUpdate(store, job, generation, 'REMOVE noProgress', {})
        : fencedUpdate(store, job, generation, 'SET noProgress = :noProgress', { ':noProgress': noProgress }),
    decide: (decision) => decide(store, decision),
    recordSentAgain: (job, generation, sentAgain, seen) => recordSentAgain(store, job, generation, sentAgain, seen),
    recordCommitted: (job, generation, epoch) => recordCommitted(store, job, generation, epoch),
    readEpoch: (job, incarnation, epoch) => readEpoch(store, job, incarnation, epoch),
    listEpochs: (job, incarnation, after) => listEpochs(store, job, incarnation, after),
    retireThrough: (job, generation, epoch) => retireThrough(store, job, generation, epoch),
    expireEpoch: (job, incarnation, epoch, expiresAtMs) => expireEpoch(store, job, incarnation, epoch, expiresAtMs),
    ...createSavepointStore(store),
  };
}

async function createJob(store: Holder, row: JobRow): Promise<'created' | 'exists'> {
  const command = new PutItemCommand({
    TableName: store.table,
    Item: encodeJob(row),
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const put = await send(store, 'PutItem', () => conditional(() => store.client.send(command)));
  if (put.outcome === 'done') return created(store, row);
  // The row of our own first try, whose answer was lost: nobody else has this random incarnation.
  const existing = put.item === undefined ? undefined : decodeJob(put.item);
  const isOwn = existing?.incarnation === row.incarnation && existing.generation === row.generation && existing.holder === row.holder;
  return isOwn ? created(store, row) : 'exists';
}

function created(store: Holder, row: JobRow): 'created' {
  rememberTaken(store, row);
  return 'created';
}

/** The columns of a lease. */
interface Lease {
  readonly holder: string;
  readonly leaseExpiresAtMs: number;
  readonly holderEndsAtMs: number;
}

async function raiseGeneration(store: Holder, job: string, lease: Lease): Promise<JobRow> {
  let seen = (await readJob(store, job))?.generation;
  for (let tries = 0; tries < MAX_TAKEOVER_TRIES && seen !== undefined; tries++) {
    const changes = { ...lease, desired: 'running' } as const;
    const taken = await takeGeneration(store, { job, generation: seen }, LET_RUN, changes);
    if (taken.outcome === 'taken') return taken.row;
    seen = taken.generation;
  }
  if (seen === undefined) throw noSuchJob(store, job);
  throw new StoreProblem(
    `job ${job} in table ${store.table} was taken over ${MAX_TAKEOVER_TRIES} times while this process tried to: too many coordinators start`,
    true,
  );
}

const LET_RUN = 'REMOVE failure SET';

/** What a generation is taken from. */
interface Seen {
  readonly job: string;
  readonly generation: number;
  /** Undefined: of whichever incarnation. */
  readonly incarnation?: string;
  /** What a person asked for last, and why the job ended. Undefined: whatever they are. */
  readonly said?: Pick<JobRow, 'desired' | 'failure'>;
}

function seenIn({
  generation,
  incarnation,
}: Pick<JobRow, 'generation' | 'incarnation'>): Pick<Required<Seen>, 'generation' | 'incarnation'> {
  return { generation, incarnation };
}

function conditionOf({ incarnation, said }: Seen): string {
  const failure = said?.failure === undefined ? 'attribute_not_exists(failure)' : 'failure = :why';
  return [
    'generation = :seen',
    ...(incarnation === undefined ? [] : ['incarnation = :of']),
    ...(said === undefined ? [] : ['desired = :asked', failure]),
  ].join(' AND ');
}

/**
 * Moves the generation from the one that was seen to the next. Not `ADD generation 1`: a first try that the network delivers late,
 * after its repetition, would depose the holder that the repetition made. The row keeps a random claim, so that a repetition that
 * finds its own first try applied knows that it has won: by the claim and not by the holder's name, which a start that the platform
 * delivers twice has twice.
 */
async function takeGeneration(
  store: Holder,
  from: Seen,
  verb: 'SET' | typeof LET_RUN,
  changes: Lease & { readonly desired?: JobRow['desired'] },
): Promise<{ readonly outcome: 'taken'; readonly row: JobRow } | { readonly outcome: 'lost'; readonly generation: number | undefined }> {
  const { job, generation: seen, incarnation, said } = from;
  const trial = JSON.stringify([job, incarnation, seen, changes.holder]);
  const claim = store.claims.get(trial) ?? randomUUID();
  store.claims.set(trial, claim);
  const columns = { ...changes, generation: seen + 1, claim };
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: `${verb} ${Object.keys(columns)
      .map((column) => `${column} = :${column}`)
      .join(', ')}`,
    ConditionExpression: conditionOf(from),
    ExpressionAttributeValues: {
      ...attributes({ ':seen': seen, ':of': incarnation, ':asked': said?.desired, ':why': said?.failure }),
      ...attributes(Object.fromEntries(Object.entries(columns).map(([column, value]) => [`:${column}`, value]))),
    },
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  const item = update.outcome === 'done' ? update.output.Attributes : update.item;
  if (item === undefined) return { outcome: 'lost', generation: undefined };
  const row = decodeJob(item);
  // A build that knows no claims leaves the last one in the row when it takes the next generation.
  if (item['claim']?.S !== columns.claim || row.generation !== columns.generation) return { outcome: 'lost', generation: row.generation };
  store.claims.delete(trial);
  rememberTaken(store, row);
  return { outcome: 'taken', row };
}

/**
 * A person's request, so the one write that no generation guards. It is of the stops that there had been: a try of it that arrives late, behind a start or
 * a stop that came after it, changes nothing, and neither does one beside which somebody else has asked, as if that had come after it.
 */
async function setDesired(store: Store, job: string, desired: JobRow['desired'], incarnation?: string): Promise<FencedWrite> {
  const seen = await readJob(store, job);
  if (seen === undefined) throw noSuchJob(store, job);
  const { stops } = seen;
  const isUnchanged = stops === undefined ? 'attribute_not_exists(stops)' : 'stops = :stops';
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    // What made the job fail is, as far as this person knows, mended.
    UpdateExpression: `SET desired = :desired ${desired === 'running' ? 'REMOVE failure' : 'ADD stops :one'}`,
    ConditionExpression: `incarnation = :of AND ${isUnchanged}`,
    ExpressionAttributeValues: attributes({
      ...{ ':desired': desired, ':of': incarnation ?? seen.incarnation, ':stops': stops },
      ':one': desired === 'stopped' ? 1 : undefined,
    }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  if (update.outcome === 'done') return 'written';
  if (update.item === undefined) throw noSuchJob(store, job);
  return decodeJob(update.item).incarnation === (incarnation ?? seen.incarnation) ? 'written' : 'superseded';
}

/** A try that arrives late, when the lease was given up, changes nothing. Nothing is written where somebody has asked for a stop since: that is no loss of the job. */
async function letRun(store: Holder, job: string, generation: number, afterStops: number): Promise<FencedWrite> {
  const held = holding(store, job, generation);
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: 'SET desired = :running REMOVE failure',
    ConditionExpression: `${held.condition} AND ${STOPPED_NO_MORE} AND leaseExpiresAtMs > :zero`,
    ExpressionAttributeValues: attributes({ ...held.values, ':running': 'running', ':stops': afterStops, ':zero': 0 }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  if (update.outcome === 'done') return 'written';
  return update.item !== undefined && isHeld(store, decodeJob(update.item), generation) ? 'written' : 'superseded';
}

/** A person's request: it is of the job that runs, and of the request that was seen. A try that comes late, behind another one, changes nothing. */
async function askRescale(
  store: Store,
  job: string,
  incarnation: string,
  rescale: Rescale,
  seen: string | undefined,
): Promise<FencedWrite> {
  const replaces = seen === undefined ? 'attribute_not_exists(rescale)' : 'rescale.id = :seen';
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: 'SET rescale = :rescale',
    ConditionExpression: `incarnation = :of AND desired = :running AND ${replaces}`,
    ExpressionAttributeValues: attributes({ ':rescale': rescale, ':of': incarnation, ':running': 'running', ':seen': seen }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  if (update.outcome === 'done') return 'written';
  if (update.item === undefined) throw noSuchJob(store, job);
  // Of our own first try, whose answer was lost.
  return decodeJob(update.item).rescale?.id === rescale.id ? 'written' : 'superseded';
}

/**
 * Only ever wider, and sinks that `pool` does not name stay: their transactional ids may still have open transactions.
 * The attribute that was read is part of the condition, so that a try that the network delivers late cannot narrow it again.
 */
async function widenPool(store: Holder, job: string, generation: number, pool: Pool): Promise<FencedWrite> {
  for (let tries = 0; tries < MAX_POOL_TRIES; tries++) {
    const item = await readItem(store, job);
    const row = item === undefined ? undefined : decodeJob(item);
    if (!isHeld(store, row, generation)) return 'superseded';
    const seen = item?.[POOL_ATTRIBUTE];
    const wider = widened(row.pool, pool);
    if (wider === row.pool) return 'written';
    const { condition, values } = holding(store, job, generation);
    const command = new UpdateItemCommand({
      TableName: store.table,
      Key: jobKey(job),
      UpdateExpression: `SET ${POOL_ATTRIBUTE} = :wider`,
      ConditionExpression: `${condition} AND ${seen === undefined ? `attribute_not_exists(${POOL_ATTRIBUTE})` : `${POOL_ATTRIBUTE} = :seen`}`,
      ExpressionAttributeValues: { ...attributes({ ':wider': wider, ...values }), ...(seen !== undefined && { ':seen': seen }) },
    });
    const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
    if (update.outcome === 'done') return 'written';
  }
  throw new StoreProblem(
    `the pool of job ${job} in table ${store.table} changed ${MAX_POOL_TRIES} times while generation ${generation} was widening it`,
    true,
  );
}

/** A try that the network delivers late, after a later record, changes nothing: it is of what it saw. */
async function recordSentAgain(
  store: Holder,
  job: string,
  generation: number,
  sentAgain: SentAgain,
  seen: string | undefined,
): Promise<FencedWrite> {
  const { condition, values } = holding(store, job, generation);
  const replaces = seen === undefined ? '(attribute_not_exists(sentAgain) OR sentAgain.decisionId <> :decision)' : 'sentAgain.id = :seen';
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: 'SET sentAgain = :sent',
    ConditionExpression: `${condition} AND lastCompleted.decisionId = :decision AND ${replaces}`,
    ExpressionAttributeValues: attributes({ ...values, ':sent': sentAgain, ':decision': sentAgain.decisionId, ':seen': seen }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  if (update.outcome === 'done') return 'written';
  const row = update.item === undefined ? undefined : decodeJob(update.item);
  if (!isHeld(store, row, generation)) return 'superseded';
  // Of our own first try, whose answer was lost.
  if (row.sentAgain?.id === sentAgain.id) return 'written';
  throw new Error(
    `what was sent again of decision ${sentAgain.decisionId} of job ${job} cannot be recorded: the last decision is ${row.lastCompleted?.decisionId}, and the last record ${row.sentAgain?.id}, not ${seen}`,
  );
}

async function recordCommitted(store: Holder, job: string, generation: number, epoch: number): Promise<FencedWrite> {
  const { condition, values } = holding(store, job, generation);
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: 'SET lastCommitted = :epoch',
    // Never back: a try that the network delivers late must not undo what a later decision recorded.
    ConditionExpression: `${condition} AND lastCommitted <= :epoch AND lastCompleted.epoch >= :epoch`,
    ExpressionAttributeValues: attributes({ ...values, ':epoch': epoch }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  if (update.outcome === 'done') return 'written';
  const row = update.item === undefined ? undefined : decodeJob(update.item);
  if (!isHeld(store, row, generation)) return 'superseded';
  if (row.lastCommitted > epoch) return 'written';
  throw new Error(`epoch ${epoch} of job ${job} cannot be committed: the last that is decided is ${row.lastCompleted?.epoch ?? 'none'}`);
}

/**
 * The write that makes an epoch COMPLETED. The token makes repetitions one write for ten minutes; after that the
 * conditions still refuse a second, because no row and no parent is decided twice.
 */
async function decide(store: Store, decision: Decision): Promise<DecideAnswer> {
  checkDecision(decision);
  const command = new TransactWriteItemsCommand({
    ClientRequestToken: tokenOf(store, decision),
    TransactItems: decisionItems(store, decision),
  });
  try {
    await store.client.send(command);
    return 'decided';
  } catch (error) {
    const codes = cancellationCodes(error);
    // A condition that fails once fails for ever: generations only rise, and a parent is left behind only once.
    if (codes.has('ConditionalCheckFailed')) return 'refused';
    if (codes.has('ValidationError') || codes.has('ItemCollectionSizeLimitExceeded') || codes.has('AccessDenied')) {
      throw await problem(store, 'TransactWriteItems', error);
    }
    // Any other cancellation (a conflicting or throttled request) decided nothing, but an earlier try may have.
    if (error instanceof TransactionCanceledException || awsFaultOf(error) === 'transient') return 'ambiguous';
    throw await problem(store, 'TransactWriteItems', error);
  }
}

function decisionItems({ table }: Store, decision: Decision): TransactWriteItem[] {
  const { job, incarnation, generation, epoch, decisionId, parentDecisionId, leaseExpiresAtMs, lastCommitted } = decision;
  const parent = parentDecisionId === undefined ? 'attribute_not_exists(lastCompleted)' : 'lastCompleted.decisionId = :parent';
  return [
    { Put: { TableName: table, Item: encodeEpoch(decision), ConditionExpression: 'attribute_not_exists(pk)' } },
    {
      Update: {
        TableName: table,
        Key: jobKey(job),
        UpdateExpression: 'SET lastCompleted = :completed, lastCommitted = :committed, leaseExpiresAtMs = :lease REMOVE sentAgain',
        ConditionExpression: `generation = :generation AND incarnation = :incarnation AND ${parent}`,
        ExpressionAttributeValues: attributes({
          ':completed': { epoch, decisionId },
          ':committed': lastCommitted,
          ':lease': leaseExpiresAtMs,
          ':generation': generation,
          ':incarnation': incarnation,
          ':parent': parentDecisionId,
        }),
      },
    },
  ];
}

/** At most 36 characters, and different for every table, so that jobs of one name in two tables stay apart. */
function tokenOf({ table }: Store, { job, incarnation, decisionId }: Decision): string {
  return createHash('sha256')
    .update(JSON.stringify([table, job, incarnation, decisionId]))
    .digest('hex')
    .slice(0, 32);
}

async function readEpoch(store: Store, job: string, incarnation: string, epoch: number): Promise<EpochRow | undefined> {
  const command = new GetItemCommand({ TableName: store.table, Key: epochKey(job, incarnation, epoch), ConsistentRead: true });
  const { Item } = await send(store, 'GetItem', () => store.client.send(command));
  return Item === undefined ? undefined : decodeEpoch(Item);
}

async function listEpochs(store: Store, job: string, incarnation: string, after: number): Promise<readonly EpochRow[]> {
  const rows: EpochRow[] = [];
  let from: Attributes | undefined;
  do {
    const command = new QueryCommand({
      TableName: store.table,
      KeyConditionExpression: 'pk = :job AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: attributes({
        ':job': job,
        ':first': epochSortKey(incarnation, after + 1),
        ':last': epochSortKey(incarnation, MAX_EPOCH),
      }),
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    const page = await send(store, 'Query', () => store.client.send(command));
    rows.push(...(page.Items ?? []).map(decodeEpoch));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return rows;
}

/** What is retired may be deleted, so the newest manifest and what is not COMMITTED can never be. */
async function retireThrough(store: Holder, job: string, generation: number, epoch: number): Promise<FencedWrite> {
  const { condition, values } = holding(store, job, generation);
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: 'SET retiredThrough = :epoch',
    ConditionExpression: `${condition} AND retiredThrough <= :epoch AND lastCommitted >= :epoch AND lastCompleted.epoch > :epoch`,
    ExpressionAttributeValues: attributes({ ...values, ':epoch': epoch }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const update = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  if (update.outcome === 'done') return 'written';
  const row = update.item === undefined ? undefined : decodeJob(update.item);
  if (!isHeld(store, row, generation)) return 'superseded';
  if (row.retiredThrough > epoch) return 'written';
  throw new Error(
    `epoch ${epoch} of job ${job} cannot be retired: epochs up to ${row.lastCommitted} are committed, and the newest is ${row.lastCompleted?.epoch ?? 'none'}`,
  );
}

async function expireEpoch(store: Store, job: string, incarnation: string, epoch: number, expiresAtMs: number): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: epochKey(job, incarnation, epoch),
    UpdateExpression: `SET ${TTL_ATTRIBUTE} = :expires`,
    ConditionExpression: 'attribute_exists(pk)', // a row that has gone stays gone
    ExpressionAttributeValues: attributes({ ':expires': Math.ceil(expiresAtMs / 1000) }),
  });
  await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
}
