import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { Cdk } from '../../local/deploy/cdk.ts';
import { bootstrappedCdk, DeployedJob } from '../support/deployment.ts';
import { startFlow } from '../support/line-flow.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { newTopic, uniqueName } from '../support/topics.ts';
import { EXACT, faultsOf } from '../support/word-counts.ts';

const LEASE_MS = 10_000;
const TICK_MS = 60_000;
const LIFETIME_MS = 180_000;
/** A cold start, the recovery, and the emulator's own delays. */
const SLACK_MS = 20_000;

let cdk: Cdk;
beforeAll(async () => {
  cdk = await bootstrappedCdk();
  return () => cdk.close();
});

it('the schedule alone revives a job whose coordinator crashed, and follows one whose time is up without a gap', async () => {
  const [input, output] = [await newTopic('lines'), await newTopic('counts')];
  const name = uniqueName('ticks');
  const job = await DeployedJob.deploy(cdk, name, {
    ONCEFLOW_TOPICS: `read-lines=${input},write-counts=${output}`,
    ONCEFLOW_LEASE_MS: `${LEASE_MS}`,
    ONCEFLOW_COORDINATOR_LIFETIME_MS: `${LIFETIME_MS}`,
  });
  const reader = new TopicReader(output);
  const flow = await startFlow(input, 2);
  await job.start();
  await reader.readUntil(({ records }) => records.length > 0);

  const crashedAtMs = Date.now();
  expect(await job.kill(`${name}-coordinator`)).toBeGreaterThan(0);
  const revived = await nextHolder(job, 1, TICK_MS + LEASE_MS + SLACK_MS);
  console.log(`revived by ${revived.holder} ${Date.now() - crashedAtMs} ms after the crash`);
  expect(revived.holder).toMatch(/^tick /);

  // The longest time without a committed count, from here until some counts of the next coordinator were seen.
  const followed = await followOutput(job, reader, revived.generation, LIFETIME_MS + TICK_MS);
  console.log(`followed by ${followed.row.holder}; the longest time without output: ${followed.longestGapMs} ms`);
  expect(followed.row).toMatchObject({ generation: revived.generation + 1, holder: expect.stringMatching(/^tick /) });
  expect(followed.longestGapMs).toBeLessThan(LEASE_MS);

  await flow.stop();
  await reader.readUntil(({ records }) => records.length >= flow.lines.length * 8);
  expect(faultsOf(reader.records, flow.lines)).toEqual(EXACT);
  await job.destroy();
});

/** Waits for a generation above `after`. */
async function nextHolder(job: DeployedJob, after: number, withinMs: number): Promise<JobRow> {
  for (const untilMs = Date.now() + withinMs; ; await sleep(200)) {
    const row = await job.row();
    if (row !== undefined && row.generation > after) return row;
    if (Date.now() > untilMs) throw new Error(`no coordinator within ${withinMs} ms; the row says ${JSON.stringify(row)}`);
  }
}

/** Reads until another generation than `generation` has put out something. */
async function followOutput(job: DeployedJob, reader: TopicReader, generation: number, withinMs: number) {
  await reader.readOn();
  let [seen, lastAtMs, longestGapMs] = [reader.records.length, Date.now(), 0];
  let followedAtMs: number | undefined;
  for (const untilMs = Date.now() + withinMs; Date.now() < untilMs; await sleep(100)) {
    const row = await job.row();
    if (row !== undefined && row.generation > generation) followedAtMs ??= Date.now();
    await reader.readOn();
    if (reader.records.length === seen) continue;
    longestGapMs = Math.max(longestGapMs, Date.now() - lastAtMs);
    [seen, lastAtMs] = [reader.records.length, Date.now()];
    if (row !== undefined && followedAtMs !== undefined && lastAtMs > followedAtMs + 5_000) return { row, longestGapMs };
  }
  throw new Error(`nobody has followed generation ${generation} within ${withinMs} ms`);
}
