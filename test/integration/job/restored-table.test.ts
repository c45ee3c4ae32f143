import { DeleteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { createDynamoDbClient } from '../../../lib/aws/clients.ts';
import { jobRow, TEST_TABLE } from '../../support/epochs.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { EXACT, faultsOf } from '../../support/word-counts.ts';

it('a job whose table was set back to an earlier time does not start, and repeats nothing', async () => {
  const count = await newWordCount();
  await count.write(['ant bee']);
  await count.expectExact(count.job.start());
  const earlier = await itemsOf(count.job.name);
  const run = count.job.start();
  // The offsets of one epoch are with the group before the next is committed.
  for (const line of ['ant cow', 'bee auk']) {
    await count.write([line]);
    await count.allCounted(run);
  }
  await count.expectExact(run);
  const { lastCompleted } = await jobRow(count.job.name);

  await setBack(count.job.name, earlier);
  const restored = await jobRow(count.job.name);
  expect(restored.lastCompleted?.epoch).toBeLessThan(lastCompleted?.epoch ?? 0);
  expect(await count.job.start().ended).toMatchObject({
    end: 'failed',
    message: expect.stringMatching(/consumer group \S+ says that epoch \d+ of job .* was committed, and .* the table was set back/),
  });
  expect((await jobRow(count.job.name)).lastCompleted).toEqual(restored.lastCompleted);
  await count.reader.readOn();
  expect(faultsOf(count.reader.records, await count.inputLines())).toEqual(EXACT);
});

async function itemsOf(job: string) {
  const asked = { TableName: TEST_TABLE, KeyConditionExpression: 'pk = :job', ExpressionAttributeValues: { ':job': { S: job } } };
  return (await createDynamoDbClient().send(new QueryCommand(asked))).Items ?? [];
}

/** What a restore to a point in time leaves: the job's items of then, and none that came later. */
async function setBack(job: string, earlier: Awaited<ReturnType<typeof itemsOf>>): Promise<void> {
  const client = createDynamoDbClient();
  for (const { pk, sk } of await itemsOf(job))
    if (pk !== undefined && sk !== undefined) await client.send(new DeleteItemCommand({ TableName: TEST_TABLE, Key: { pk, sk } }));
  for (const Item of earlier) await client.send(new PutItemCommand({ TableName: TEST_TABLE, Item }));
}
