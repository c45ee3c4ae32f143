import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type TransactWriteItem,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { FencedWrite, NextIncarnation, Savepoint, SavepointStore, UnreadableSavepoint } from '../ports/epoch-store.ts';
import { fencedUpdate, type Holder, holding, isHeld, readJob, rememberTaken, STOPPED_NO_MORE } from './dynamo-held.ts';
import {
  type Attributes,
  attributes,
  decodeSavepoint,
  encodeEpoch,
  encodeSavepoint,
  jobKey,
  listedSavepoint,
  SAVEPOINT_KEYS,
  savepointKey,
} from './dynamo-rows.ts';
import { conditional, type Store, send, transact } from './dynamo-send.ts';

export function createSavepointStore(store: Holder): SavepointStore {
  return {
    createSavepoint: (savepoint) => createSavepoint(store, savepoint),
    importSavepoint: (savepoint) => importSavepoint(store, savepoint),
    moveSavepoint: ({ job, name, id }, to) => moveSavepoint(store, { job, name, id }, to),
    deleteSavepoint: ({ job, name, id }) => deleteSavepoint(store, { job, name, id }),
    readSavepoint: (job, name) => readSavepoint(store, job, name),
    listSavepoints: (job) => listSavepoints(store, job),
    beginIncarnation: (next) => beginIncarnation(store, next),
    forgetFormer: (job, generation, incarnation) => forgetFormer(store, job, generation, incarnation),
  };
}

type Named = Pick<Savepoint, 'job' | 'name' | 'id'>;

/** The row is there only if the epoch was not RETIRED when it came to be: who deletes reads it after the write that retires. */
async function createSavepoint(store: Store, savepoint: Savepoint): Promise<'created' | 'exists' | 'refused'> {
  const { job, name, incarnation, epoch } = savepoint;
  const items: TransactWriteItem[] = [
    { Put: { TableName: store.table, Item: encodeSavepoint(savepoint), ConditionExpression: 'attribute_not_exists(pk)' } },
    {
      ConditionCheck: {
        TableName: store.table,
        Key: jobKey(job),
        ConditionExpression:
          'incarnation = :incarnation AND retiredThrough < :epoch AND lastCommitted >= :epoch AND attribute_exists(lastCompleted)',
        ExpressionAttributeValues: attributes({ ':incarnation': incarnation, ':epoch': epoch }),
      },
    },
  ];
  if ((await transact(store, items)) === 'done') return 'created';
  const known = await readSavepoint(store, job, name);
  if (known === undefined) return 'refused';
  return known.id === savepoint.id ? 'created' : 'exists';
}

async function importSavepoint(store: Store, savepoint: Savepoint): Promise<'created' | 'exists'> {
  const command = new PutItemCommand({
    TableName: store.table,
    Item: encodeSavepoint(savepoint),
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const put = await send(store, 'PutItem', () => conditional(() => store.client.send(command)));
  return put.outcome === 'done' || put.item?.['id']?.S === savepoint.id ? 'created' : 'exists';
}

async function moveSavepoint(store: Store, { job, name, id }: Named, to: 'complete' | 'deleting'): Promise<'moved' | 'gone'> {
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: savepointKey(job, name),
    UpdateExpression: 'SET standing = :to',
    ConditionExpression: to === 'deleting' ? 'id = :id' : 'id = :id AND standing IN (:to, :importing)',
    ExpressionAttributeValues: attributes({ ':id': id, ':to': to, ':importing': to === 'deleting' ? undefined : 'importing' }),
  });
  const moved = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  return moved.outcome === 'done' ? 'moved' : 'gone';
}

async function deleteSavepoint(store: Store, { job, name, id }: Named): Promise<void> {
  const command = new DeleteItemCommand({
    TableName: store.table,
    Key: savepointKey(job, name),
    ConditionExpression: 'id = :id AND standing = :deleting',
    ExpressionAttributeValues: attributes({ ':id': id, ':deleting': 'deleting' }),
  });
  await send(store, 'DeleteItem', () => conditional(() => store.client.send(command)));
}

async function readSavepoint(store: Store, job: string, name: string): Promise<Savepoint | undefined> {
  const command = new GetItemCommand({ TableName: store.table, Key: savepointKey(job, name), ConsistentRead: true });
  const { Item } = await send(store, 'GetItem', () => store.client.send(command));
  return Item === undefined ? undefined : decodeSavepoint(Item);
}

async function listSavepoints(store: Store, job: string): Promise<readonly (Savepoint | UnreadableSavepoint)[]> {
  const found: (Savepoint | UnreadableSavepoint)[] = [];
  let from: Attributes | undefined;
  do {
    const command = new QueryCommand({
      TableName: store.table,
      KeyConditionExpression: 'pk = :job AND begins_with(sk, :savepoints)',
      ExpressionAttributeValues: attributes({ ':job': job, ':savepoints': SAVEPOINT_KEYS }),
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    const page = await send(store, 'Query', () => store.client.send(command));
    found.push(...(page.Items ?? []).map(listedSavepoint));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return found;
}

async function beginIncarnation(store: Holder, next: NextIncarnation): Promise<FencedWrite | 'refused'> {
  const { job, generation, leaves, letsRunAfterStops: stops } = next;
  if ((await transact(store, itemsOf(store, next))) === 'done') {
    rememberTaken(store, { job, generation, incarnation: next.incarnation });
    return 'written';
  }
  const row = await readJob(store, job);
  // By our own first try, whose answer was lost: nobody else has this random incarnation.
  if (row?.incarnation === next.incarnation) {
    rememberTaken(store, { job, generation, incarnation: next.incarnation });
    return 'written';
  }
  if (!isHeld(store, row, generation) || row.incarnation !== leaves) return 'superseded';
  // It was asked to stop meanwhile: the job moves all the same, and stays as it was told.
  if (stops !== undefined && (row.stops ?? 0) > stops) return beginIncarnation(store, { ...next, letsRunAfterStops: undefined });
  return 'refused';
}

function itemsOf(store: Holder, next: NextIncarnation): TransactWriteItem[] {
  const { job, generation, leaves, incarnation, epoch, decisionId, savepoint, letsRunAfterStops: stops } = next;
  const held = holding(store, job, generation);
  // What is RETIRED may be deleted already; a savepoint has kept what it names.
  const wasAskedNoMore = stops === undefined ? '' : ` AND ${STOPPED_NO_MORE}`;
  const isThere = savepoint === undefined ? ' AND retiredThrough < :epoch AND lastCommitted >= :epoch' : '';
  const moved: TransactWriteItem = {
    Update: {
      TableName: store.table,
      Key: jobKey(job),
      UpdateExpression:
        'SET incarnation = :next, lastCompleted = :completed, lastCommitted = :epoch, retiredThrough = :retired, fingerprint = :fingerprint, ' +
        'maxParallelism = :maxParallelism, leaseExpiresAtMs = :lease, startedFrom = :startedFrom, former = :former, ' +
        `sinkPool = :empty, #pool = :empty, sinkTopics = :empty${stops === undefined ? '' : ', desired = :running'} REMOVE sentAgain, failure`,
      ConditionExpression: `${held.condition} AND incarnation = :leaves AND (attribute_not_exists(lastCompleted) OR lastCommitted = lastCompleted.epoch)${isThere}${wasAskedNoMore}`,
      ExpressionAttributeNames: { '#pool': 'pool' },
      ExpressionAttributeValues: attributes({
        ...held.values,
        ':leaves': leaves,
        ':next': incarnation,
        ':completed': { epoch, decisionId },
        ':epoch': epoch,
        ':retired': epoch - 1,
        ':fingerprint': next.fingerprint,
        ':maxParallelism': next.maxParallelism,
        ':lease': next.leaseExpiresAtMs,
        ':startedFrom': next.startedFrom,
        ':former': next.former,
        ':empty': {},
        ':running': stops === undefined ? undefined : 'running',
        ':stops': stops,
      }),
    },
  };
  const first: TransactWriteItem = {
    Put: { TableName: store.table, Item: encodeEpoch(next), ConditionExpression: 'attribute_not_exists(pk)' },
  };
  if (savepoint === undefined) return [moved, first];
  const pinned: TransactWriteItem = {
    ConditionCheck: {
      TableName: store.table,
      Key: savepointKey(job, savepoint.name),
      ConditionExpression: 'id = :id AND standing = :complete',
      ExpressionAttributeValues: attributes({ ':id': savepoint.id, ':complete': 'complete' }),
    },
  };
  return [moved, first, pinned];
}

async function forgetFormer(store: Holder, job: string, generation: number, incarnation: string): Promise<FencedWrite> {
  const row = await readJob(store, job);
  if (!isHeld(store, row, generation)) return 'superseded';
  const left = (row.former ?? []).filter((each) => each.incarnation !== incarnation);
  // Only its holder changes it, so nothing was added since.
  return fencedUpdate(store, job, generation, 'SET former = :left', { ':left': left });
}
