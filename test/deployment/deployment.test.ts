import { beforeAll, expect, it } from 'vitest';
import type { Cdk } from '../../local/deploy/cdk.ts';
import { bootstrappedCdk, DeployedJob } from '../support/deployment.ts';
import { startFlow } from '../support/line-flow.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { newTopic, uniqueName } from '../support/topics.ts';
import { EXACT, faultsOf } from '../support/word-counts.ts';

let cdk: Cdk;
beforeAll(async () => {
  cdk = await bootstrappedCdk();
  return () => cdk.close();
});

it('a job deployed by the CDK counts exactly once, also when the function that holds its state is killed', async () => {
  const [input, output] = [await newTopic('lines'), await newTopic('counts')];
  const name = uniqueName('deployed');
  const job = await DeployedJob.deploy(cdk, name, { ONCEFLOW_TOPICS: `read-lines=${input},write-counts=${output}` });
  const reader = new TopicReader(output);
  const flow = await startFlow(input, 5);
  expect(await job.command('start')).toMatchObject({ code: 0, stdout: expect.stringMatching(/ is started: generation 1 of start /) });
  await reader.readUntil(({ records }) => records.length > 0);
  expect(await job.command('start')).toMatchObject({ code: 0, stdout: expect.stringMatching(/ runs already: generation 1 of start /) });
  // On the table and the bucket of the deployment, and the topics that its row names.
  expect(await job.command('doctor')).toMatchObject({ code: 0, stdout: expect.stringContaining(`topic ${output} (sink): 3 partitions`) });
  expect(await job.kill(`${name}-operator-count-words-0`)).toBeGreaterThan(0);
  const seen = reader.records.length;
  await reader.readUntil(({ records }) => records.length > seen + 40);
  await flow.stop();
  await reader.readUntil(({ records }) => records.length >= flow.lines.length * 8);
  expect(faultsOf(reader.records, flow.lines)).toEqual(EXACT);
  await job.destroy();
});
