import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { FencedWrite, JobRemoval } from '../ports/epoch-store.ts';
import { jittered } from '../ports/pause.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { type Attributes, attributes, epochSortKey, jobKey, MAX_EPOCH } from './dynamo-rows.ts';
import { conditional, type Store, send } from './dynamo-send.ts';

/** DynamoDB's limit for one BatchWriteItem. */
const DELETE_TOGETHER = 25;
/** Waits before what a throttled table has left of a batch is sent again; 25 rows take it a second at most. */
const PAUSES_MS = [50, 100, 200, 400, 800, 1600, 3200, 6400];

export function createJobRemoval(store: { readonly client: DynamoDBClient; readonly table: string }): JobRemoval {
  return {
    async forgetEpochs({ job, generation, incarnation: old }, incarnation) {
      const command = new UpdateItemCommand({
        TableName: store.table,
        Key: jobKey(job),
        UpdateExpression:
          'SET incarnation = :incarnation, lastCommitted = :zero, retiredThrough = :none, sinkPool = :empty, #pool = :empty, sinkTopics = :empty REMOVE lastCompleted, failure, sentAgain, startedFrom, former, rescale, scale',
        ConditionExpression: 'generation = :generation AND incarnation IN (:old, :incarnation) AND desired = :stopped',
        ExpressionAttributeNames: { '#pool': 'pool' }, // a reserved word of DynamoDB; a build that knows no other attribute may read the row
        ExpressionAttributeValues: attributes({
          ':generation': generation,
          ':old': old,
          ':stopped': 'stopped',
          ':incarnation': incarnation,
          ':zero': 0,
          ':none': -1,
          ':empty': {},
        }),
      });
      return fencedWrite(store, 'UpdateItem', () => store.client.send(command));
    },

    async deleteEpochs(job, ownIncarnation) {
      let deleted = 0;
      for await (const keys of otherEpochs(store, job, ownIncarnation)) {
        // Only rows that were there before the job was seen in this incarnation: it left theirs for good.
        if ((await incarnationOf(store, job)) !== ownIncarnation) return 'superseded';
        for (let at = 0; at < keys.length; at += DELETE_TOGETHER) await deleteTogether(store, keys.slice(at, at + DELETE_TOGETHER));
        deleted += keys.length;
      }
      return deleted;
    },

    async deleteJob({ job, generation, incarnation }) {
      const command = new DeleteItemCommand({
        TableName: store.table,
        Key: jobKey(job),
        ConditionExpression:
          'attribute_not_exists(pk) OR (generation = :generation AND incarnation = :incarnation AND attribute_not_exists(lastCompleted))',
        ExpressionAttributeValues: attributes({ ':generation': generation, ':incarnation': incarnation }),
      });
      return fencedWrite(store, 'DeleteItem', () => store.client.send(command));
    },
  };
}

async function incarnationOf(store: Store, job: string): Promise<string | undefined> {
  const command = new GetItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    ProjectionExpression: 'incarnation',
    ConsistentRead: true,
  });
  const { Item } = await send(store, 'GetItem', () => store.client.send(command));
  return Item?.['incarnation']?.S;
}

async function fencedWrite(store: Store, action: string, write: () => Promise<unknown>): Promise<FencedWrite> {
  const written = await send(store, action, () => conditional(write));
  return written.outcome === 'done' ? 'written' : 'superseded';
}

/** Keys of the epochs' rows of other incarnations, page by page. */
async function* otherEpochs(store: Store, job: string, ownIncarnation: string): AsyncIterable<Attributes[]> {
  const own = { first: epochSortKey(ownIncarnation, 0), last: epochSortKey(ownIncarnation, MAX_EPOCH) };
  let from: Attributes | undefined;
  do {
    const command = new QueryCommand({
      TableName: store.table,
      KeyConditionExpression: 'pk = :job AND begins_with(sk, :epochs)',
      ExpressionAttributeValues: attributes({ ':job': job, ':epochs': 'epoch#' }),
      ProjectionExpression: 'pk, sk',
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    const page = await send(store, 'Query', () => store.client.send(command));
    yield (page.Items ?? []).filter(({ sk }) => sk?.S !== undefined && (sk.S < own.first || sk.S > own.last));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
}

async function deleteTogether(store: Store, keys: readonly Attributes[]): Promise<void> {
  let left = keys;
  for (const pauseMs of PAUSES_MS) {
    const command = new BatchWriteItemCommand({ RequestItems: { [store.table]: left.map((Key) => ({ DeleteRequest: { Key } })) } });
    const { UnprocessedItems } = await send(store, 'BatchWriteItem', () => store.client.send(command));
    left = (UnprocessedItems?.[store.table] ?? []).flatMap(({ DeleteRequest }) =>
      DeleteRequest?.Key === undefined ? [] : [DeleteRequest.Key],
    );
    if (left.length === 0) return;
    await sleep(jittered(pauseMs, Math.random()));
  }
  throw new StoreProblem(
    `table ${store.table} (ONCEFLOW_TABLE) is throttled and left ${left.length} rows undeleted; try again later`,
    true,
  );
}
