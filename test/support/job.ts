import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { createTestTable, TEST_TABLE } from './epochs.ts';
import { isOfOneFunction } from './faults.ts';
import { type Functions, JobRun } from './job-run.ts';
import { brokers } from './kafka-wire.ts';
import { uniqueName } from './topics.ts';

type Env = Readonly<Record<string, string>>;

/** Short intervals and waits: what a test waits for is an event, not a timer. Under load there are as many epochs as the interval lets be, and each costs. */
const QUICK: Env = {
  ONCEFLOW_CHECKPOINT_INTERVAL_MS: '150',
  ONCEFLOW_RESTART_BACKOFF_MS: '10',
  ONCEFLOW_RESTART_BACKOFF_MAX_MS: '100',
  ONCEFLOW_STARTING_OFFSETS: 'earliest',
};
/** Transactions as short as the budget allows: epoch + commit + recovery < transaction timeout. */
export const SHORT_TRANSACTIONS: Env = {
  ONCEFLOW_EPOCH_TIMEOUT_MS: '1500',
  ONCEFLOW_COMMIT_TIMEOUT_MS: '500',
  ONCEFLOW_RECOVERY_TIMEOUT_MS: '900',
  ONCEFLOW_LEASE_MS: '800',
  ONCEFLOW_TRANSACTION_TIMEOUT_MS: '3000',
};

/** One job of one test: its name and where it keeps what it stores, the same for each of its runs. */
export interface TestJob {
  readonly name: string;
  readonly env: Env;
  /** The folder that ONCEFLOW_BLOBS names unless `env` says otherwise. */
  readonly blobs: string;
  /**
   * Starts the job's functions as processes; they end with the test, however it ends.
   *
   * @param functions `each` in a process of its own, for who kills or freezes one, or measures what they do beside each other: twice the CPU time.
   *   @default all in one, but for a fault that is to happen to one of them alone
   */
  start(more?: Env, functions?: Functions): JobRun;
}

/** Names a job that no other test has. `module`: a path from the repository's root. */
export async function newJob(module: string, topics: Readonly<Record<string, string>>, more: Env = {}): Promise<TestJob> {
  const name = uniqueName('job');
  await createTestTable();
  const blobs = mkdtempSync(join(tmpdir(), 'onceflow-blobs-'));
  onTestFinished(() => rmSync(blobs, { recursive: true, force: true }));
  const env = {
    ...definedOf(process.env),
    ONCEFLOW_JOB: `./${module}`,
    ONCEFLOW_JOB_NAME: name,
    ONCEFLOW_BROKERS: brokers().join(','),
    ONCEFLOW_TABLE: TEST_TABLE,
    ONCEFLOW_BLOBS: pathToFileURL(blobs).href,
    ONCEFLOW_TOPICS: Object.entries(topics)
      .map((pair) => pair.join('='))
      .join(','),
    ...QUICK,
    ...more,
  };
  const start = (evenMore: Env = {}, functions: Functions = isOfOneFunction({ ...env, ...evenMore }) ? 'each' : 'together') => {
    const run = new JobRun(name, { ...env, ...evenMore }, { functions });
    onTestFinished(() => run.killAll());
    return run;
  };
  return { name, env, blobs, start };
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || name.startsWith('ONCEFLOW_') ? [] : [[name, value]])),
  );
}
