import { DeleteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoDbClient } from '../../lib/aws/clients.ts';
import { TEST_TABLE } from './epochs.ts';

type Items = NonNullable<Awaited<ReturnType<typeof itemsOf>>>;

/** Everything that the table has of a job. */
export async function itemsOf(job: string) {
  const asked = { TableName: TEST_TABLE, KeyConditionExpression: 'pk = :job', ExpressionAttributeValues: { ':job': { S: job } } };
  return (await createDynamoDbClient().send(new QueryCommand(asked))).Items ?? [];
}

/** What a restore to a point in time leaves: the job's items of then, and none that came later. Of a table that is lost: none at all. */
export async function setBack(job: string, earlier: Items): Promise<void> {
  const client = createDynamoDbClient();
  for (const { pk, sk } of await itemsOf(job))
    if (pk !== undefined && sk !== undefined) await client.send(new DeleteItemCommand({ TableName: TEST_TABLE, Key: { pk, sk } }));
  for (const Item of earlier) await client.send(new PutItemCommand({ TableName: TEST_TABLE, Item }));
}
