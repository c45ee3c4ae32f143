import { expect, it } from 'vitest';
import { runChain } from '../chain/run-chain.ts';
import { jumpsBack } from '../chain/watch.ts';
import { requireEnv } from '../support/require-env.ts';
import { uniqueName } from '../support/topics.ts';

const AWS = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_EC2_METADATA_DISABLED'];

it('from Kafka to ClickHouse and to Parquet files, killed, every row is there once and no result goes back, where the plain way repeats rows and goes back', async () => {
  const run = await runChain({
    brokers: requireEnv('ONCEFLOW_BROKERS'),
    env: Object.fromEntries(AWS.map((name) => [name, requireEnv(name)])),
    name: uniqueName('chain'),
    seconds: 5,
    kills: 1,
    report: () => {},
  });
  expect(run.orders).toBeGreaterThan(200);
  expect(run.differences).toEqual({ results: [], totals: [], files: [], lists: [] });
  expect(jumpsBack(run.samples, 'ours')).toEqual([]);
  expect(run.samples.filter(({ ours }) => ours.repeated > 0)).toEqual([]);
  // What it wrote between its checkpoint and the kill it has written again; what is put in place by key is right in the end.
  expect(run.plainDifferences['plain_results']?.length).toBeGreaterThanOrEqual(100);
  expect(run.plainDifferences['plain_totals']).toEqual([]);
  expect(jumpsBack(run.samples, 'plain')).not.toEqual([]);
});
