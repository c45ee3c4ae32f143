import { DescribeTableCommand, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { beforeAll, expect, it } from 'vitest';
import { createDynamoDbClient, createLambdaClient } from '../../lib/aws/clients.ts';
import type { Cdk } from '../../local/deploy/cdk.ts';
import { bootstrappedCdk, DeployedJob } from '../support/deployment.ts';
import { startFlow } from '../support/line-flow.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { newTopic, uniqueName } from '../support/topics.ts';
import { waitFor } from '../support/wait-for.ts';
import { EXACT, faultsOf } from '../support/word-counts.ts';

const CHANGED = 'changed ';
const WORDS_OF_A_LINE = 8;

let cdk: Cdk;
beforeAll(async () => {
  cdk = await bootstrappedCdk();
  return () => cdk.close();
});

it('a deployed job counts exactly once while its functions are killed and it is changed in place with a migration, and can be destroyed', async () => {
  const [input, output] = [await newTopic('lines'), await newTopic('counts')];
  const name = uniqueName('e2e');
  const job = await DeployedJob.deploy(cdk, name, {
    ONCEFLOW_TOPICS: `read-lines=${input},write-counts=${output}`,
    ONCEFLOW_STAGE_PARALLELISM: 'count-words=2',
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: '500',
  });
  const reader = new TopicReader(output);
  const moreCounts = async (fits: (value: string) => boolean = () => true) => {
    const before = reader.records.length;
    await reader.readUntil(({ values }) => values.slice(before).some(fits));
  };

  const flow = await startFlow(input, 20);
  await job.start();
  await moreCounts();
  for (const role of ['source', 'operator-count-words-0', 'operator-count-words-1', 'sink']) {
    expect(await job.kill(`${name}-${role}`), role).toBeGreaterThan(0);
    await moreCounts();
  }
  expect(await job.kill(`${name}-coordinator`)).toBeGreaterThan(0);
  await job.start();
  await moreCounts();

  // In the middle of an update: one function is of another build already.
  await job.changeBuild(`${name}-operator-count-words-0`, 'another-build');
  await waitFor('the coordinator to give up its lease', async () => (await job.row())?.leaseExpiresAtMs === 0);
  expect(await job.row()).toMatchObject({ desired: 'running', failure: undefined });

  const { buildId } = job.outputs;
  await job.change({
    ONCEFLOW_JOB: './test/e2e/word-count-marked.ts',
    ONCEFLOW_TOPICS: `read-words=${input},write-counts=${output}`,
    ONCEFLOW_STAGE_PARALLELISM: 'tally=2',
  });
  expect(job.outputs.buildId).not.toBe(buildId);
  await job.start();
  await moreCounts((value) => value.startsWith(CHANGED));
  await flow.stop();

  await reader.readUntil(({ records }) => records.length >= flow.lines.length * WORDS_OF_A_LINE);
  const counts = reader.records.map(({ partition, value }) => ({ partition, value: value.replace(CHANGED, '') }));
  expect(faultsOf(counts, flow.lines)).toEqual(EXACT);
  expect(reader.values.some((value) => !value.startsWith(CHANGED))).toBe(true);

  await job.destroy();
  await expect(createLambdaClient().send(new GetFunctionCommand({ FunctionName: job.outputs.coordinator }))).rejects.toThrow(/not found/i);
  await expect(createDynamoDbClient().send(new DescribeTableCommand({ TableName: job.outputs.table }))).rejects.toThrow(
    ResourceNotFoundException,
  );
  // What came later would be there by now.
  await reader.readOn();
  expect(reader.records).toHaveLength(counts.length);
});

it('a job whose deployment was destroyed and made anew says so, and goes on exactly with the storage that stayed', async () => {
  const [input, output] = [await newTopic('lines'), await newTopic('counts')];
  const name = uniqueName('again');
  const parameters = { ONCEFLOW_TOPICS: `read-lines=${input},write-counts=${output}`, ONCEFLOW_REMOVAL: 'retain' };
  const job = await DeployedJob.deploy(cdk, name, parameters);
  const reader = new TopicReader(output);
  const flow = await startFlow(input, 5);
  await job.start();
  await reader.readUntil(({ records }) => records.length > 0);
  expect((await job.command('stop')).code).toBe(0);
  const { table, blobs } = job.outputs;
  const epoch = (await job.row())?.lastCompleted?.epoch;
  await job.withdraw();

  // Under a prefix of its own: the emulator names what a stack makes by its stack alone, and AWS never twice the same.
  const again = await DeployedJob.deploy(cdk, name, { ...parameters, ONCEFLOW_FUNCTION_PREFIX: `${name}-b` });
  expect(again.outputs.table).not.toBe(table);
  await again.start();
  await waitFor('the start to be refused', async () => (await again.row())?.failure !== undefined);
  expect(await again.row()).toMatchObject({ failure: expect.stringMatching(/this table knows no epoch of it.*ONCEFLOW_ADOPT_TABLE/) });

  await again.change({ ONCEFLOW_ADOPT_TABLE: table, ONCEFLOW_ADOPT_BLOBS: blobs });
  expect(again.outputs).toMatchObject({ table, blobs });
  expect((await again.row())?.lastCompleted?.epoch).toBe(epoch);
  await again.start();
  await reader.readUntil(({ records }) => records.length > 80);
  await flow.stop();
  await reader.readUntil(({ records }) => records.length >= flow.lines.length * WORDS_OF_A_LINE);
  expect(faultsOf(reader.records, flow.lines)).toEqual(EXACT);
  await again.destroy();
});

it('a deployment that names a savepoint starts from it once: a job that was deleted meanwhile goes on from there, and counts exactly', async () => {
  const [input, output] = [await newTopic('lines'), await newTopic('counts')];
  const job = await DeployedJob.deploy(cdk, uniqueName('from'), { ONCEFLOW_TOPICS: `read-lines=${input},write-counts=${output}` });
  const reader = new TopicReader(output);
  const flow = await startFlow(input, 5);
  await job.start();
  await reader.readUntil(({ records }) => records.length > 40);
  expect(await job.command('stop')).toMatchObject({ code: 0 });
  const kept = (await job.row())?.lastCompleted?.epoch ?? 0;
  expect(await job.command('savepoint', 'create', 'kept')).toMatchObject({ code: 0 });
  expect(await job.command('cancel', '--retention', 'delete')).toMatchObject({ code: 0 });
  expect(await job.row()).toBeUndefined();

  await job.change({ ONCEFLOW_START_FROM: 'kept' });
  await job.start();
  const movesOn = async (from: number) => {
    await waitFor(`an epoch behind ${from}`, async () => ((await job.row())?.lastCompleted?.epoch ?? -1) > from);
    return job.row();
  };
  const begun = await movesOn(kept + 1);
  expect(begun?.startedFrom).toMatchObject([{ savepoint: 'kept', epoch: kept }]);

  // The parameter stays, and does nothing more.
  expect(await job.command('stop')).toMatchObject({ code: 0 });
  const stopped = (await job.row())?.lastCompleted?.epoch ?? 0;
  await job.start();
  expect(await movesOn(stopped)).toMatchObject({ incarnation: begun?.incarnation, startedFrom: begun?.startedFrom });

  await flow.stop();
  await reader.readUntil(({ records }) => records.length >= flow.lines.length * WORDS_OF_A_LINE);
  expect(faultsOf(reader.records, flow.lines)).toEqual(EXACT);
  await job.destroy();
});
