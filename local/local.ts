/** `npm run local`: see USAGE. */

import { explainError } from '../host/explain-error.ts';
import { describeJob, type JobSummary } from '../host/job/describe.ts';
import { openEpochStore } from '../host/stores.ts';
import { systemClock } from '../host/system.ts';
import { createDynamoDbClient, createS3Client } from '../lib/aws/clients.ts';
import { createTable } from '../lib/aws/dynamo-table.ts';
import { createBucket } from '../lib/aws/s3-blob-store.ts';
import { budgetFaults } from '../lib/config/budget.ts';
import { ConfigError } from '../lib/config/fault.ts';
import { readCertificates } from '../lib/config/kafka-certificates.ts';
import type { Config } from '../lib/config/parameters.ts';
import { readConfig } from '../lib/config/read-config.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import { isLeaseLive, type StartKind } from '../lib/epoch/start/may-start.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import { folderIn, runCommand } from './command.ts';
import { DEFAULT_TOPICS } from './default-topics.ts';
import { eventText } from './event-text.ts';
import { type RunningJob, runJob } from './functions/run-job.ts';
import { topicsOf } from './job-topics.ts';
import { rememberRunning } from './running.ts';
import { createTopics } from './stack/kafka-admin.ts';
import { openStack, type Stack } from './stack/stack.ts';
import { useStack } from './use-stack.ts';

const USAGE = `npm run local [-- --dir FOLDER] [--no-takeover]

Kafka, the AWS emulator, the topics, and a job, until Ctrl-C: the word count, or what ONCEFLOW_JOB names
(ONCEFLOW_JOB=./jobs/mine.ts npm run local). Every ONCEFLOW_… variable of docs/configuration.md sets the job.

  --dir FOLDER     the data stay there, and the next start goes on from them (default: they go at the end)
  --no-takeover    starts nothing while another process holds the job: short for ONCEFLOW_TAKEOVER=refuse

A job that fails, or that "npx onceflow stop" stops, leaves Kafka and AWS running; "npx onceflow resume" starts it again.`;

const REST = `
Kafka and AWS stay up. In another terminal:

  . .onceflow/running.env
  npx onceflow status                what became of the job
  npx onceflow resume                lets it go on, here

Ctrl-C ends everything.
`;

const RESUME_POLL_MS = 500;

await runCommand(
  { name: 'npm run local', usage: USAGE, options: { dir: { type: 'string' }, 'no-takeover': { type: 'boolean' } } },
  async ({ dir, 'no-takeover': noTakeover }) => {
    const asked = askedFor(process.env, noTakeover === true);
    // Before anything starts: where Kafka will be changes nothing in what is right.
    const early = { ONCEFLOW_BROKERS: 'not-started-yet:9092', ...asked };
    const config = readConfig(early);
    const faults = budgetFaults(config);
    if (faults.length > 0) throw new ConfigError(faults);
    readCertificates(config);
    const job = describeJob('source', { env: early });

    const stack = await openStack({ dir: folderIn('dir', dir) });
    useStack(stack);
    const env = { ...askedFor(process.env, noTakeover === true), ...stack.env };
    await prepare(stack, config, job);
    const ours = Object.entries(env).filter(([name]) => name.startsWith('ONCEFLOW_'));
    const forget = rememberRunning(stack, { ...Object.fromEntries(ours), ONCEFLOW_JOB_NAME: job.name, ...stack.env });
    const exitCode = await runUntilInterrupted({ stack, env, config, job }).finally(async () => {
      forget();
      await stack.stop();
    });
    // Connections may be open still.
    process.exit(exitCode);
  },
);

/** What the word count needs, what the environment says in its place, and what the command line says in place of both. */
function askedFor(environment: NodeJS.ProcessEnv, noTakeover: boolean): Record<string, string | undefined> {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  return {
    ONCEFLOW_JOB: './jobs/word-count.ts',
    ONCEFLOW_BLOBS: 's3://onceflow-local',
    ...Object.fromEntries(set),
    ...(noTakeover ? { ONCEFLOW_TAKEOVER: 'refuse' } : {}),
  };
}

/** Makes what the job works on and is not there: topics, table, bucket. */
async function prepare(stack: Stack, { table, blobs }: Config, { plan }: JobSummary): Promise<void> {
  const topics = new Set(topicsOf(plan));
  await Promise.all([
    createTopics(
      stack.kafka.bootstrap,
      [...topics].map((topic) => ({ topic })),
    ),
    createTable(createDynamoDbClient(), table),
    blobs.kind === 's3' ? createBucket(createS3Client(), blobs.bucket) : undefined,
  ]);
}

interface LocalJob {
  readonly stack: Stack;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: Config;
  readonly job: JobSummary;
}

/** Runs the job, and runs it again when somebody lets a stopped or failed one go on. Answers the exit code. */
async function runUntilInterrupted(local: LocalJob): Promise<number> {
  const interrupted = new AbortController();
  let running: RunningJob | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // What is still running ends with this process; the next start settles what it left open.
      if (interrupted.signal.aborted) process.exit(1);
      console.log('\nstopping (once more to stop at once)');
      interrupted.abort();
      void running?.stop();
    });
  }
  let { job } = local;
  for (let starts = 1; ; starts++) {
    let hasWorked = false;
    let hasHeld = false;
    // Let go on by somebody, it is not started when it was stopped since.
    running = await startJob({ ...local, job }, starts === 1 ? 'explicit' : 'revival', ({ event }) => {
      hasWorked ||= event === 'planned';
      hasHeld ||= event === 'lease-taken';
    });
    if (starts === 1) console.log(welcome(local));
    if (interrupted.signal.aborted) void running.stop();
    const { end, message } = await running.ended;
    running = undefined;
    // It cannot start: there is nothing to look at, and this command is to be called otherwise.
    if (end === 'failed' && starts === 1 && !hasWorked && !interrupted.signal.aborted) throw new UsageError(message);
    console.log(message === '' ? end : `${end}: ${message}`);
    if (interrupted.signal.aborted) return end === 'stopped' ? 0 : 1;
    // It does not run because another process holds it, and was to be left alone.
    if (end === 'refused' && starts === 1 && !hasHeld) return 1;
    const mended = await untilResumed(local, interrupted.signal);
    if (mended === undefined) return end === 'failed' ? 1 : 0;
    job = mended;
  }
}

function startJob({ env, job }: LocalJob, startKind: StartKind, hear: (event: CoordinatorEvent) => void): Promise<RunningJob> {
  return runJob({
    env,
    job,
    startKind,
    onEvent: (event) => {
      hear(event);
      const line = eventText(event);
      if (line !== undefined) console.log(line);
    },
    onLog: (name, line) => console.log(`${name}: ${line}`),
    onCrash: (name, how) => console.log(`${name} ended with ${how}: it is started again`),
  });
}

/**
 * What a deployment's schedule does: looks whether the job is to run and nobody runs it. The answer is the job, whose module may have
 * been mended meanwhile; undefined when this command is interrupted.
 */
async function untilResumed({ env, config, job }: LocalJob, interrupted: AbortSignal): Promise<JobSummary | undefined> {
  const epochs = await openEpochStore(config);
  console.log(REST);
  for (; !interrupted.aborted; await systemClock.sleep(RESUME_POLL_MS, interrupted)) {
    if (!waitsForStart(await epochs.readJob(job.name))) continue;
    try {
      const mended = describeJob('source', { env });
      // Asked again: a start is explicit, and overrules who has stopped it meanwhile.
      if (waitsForStart(await epochs.readJob(job.name))) return mended;
    } catch (error) {
      console.log(`${explainError(error).message}\nmend it, then "npx onceflow resume" again`);
      await epochs.setDesired(job.name, 'stopped');
    }
  }
  return undefined;
}

function waitsForStart(row: JobRow | undefined): boolean {
  return row !== undefined && row.desired === 'running' && row.failure === undefined && !isLeaseLive(row, Date.now());
}

function welcome({ stack, job: { name, plan } }: LocalJob): string {
  const [[input = ''], [output = '']] = [topicsOf(plan, 'source'), topicsOf(plan, 'sink')];
  return `
Job ${name} runs on Kafka at ${stack.kafka.bootstrap} and AWS at ${stack.aws.endpoint}. In other terminals:

  npm run console:produce${optionFor(input, DEFAULT_TOPICS.produce)}           type lines for topic ${input}
  npm run console:consume${optionFor(output, DEFAULT_TOPICS.consume)}           watch topic ${output} as it is committed
  npm run console:transactions      the transactions that Kafka knows of
  . .onceflow/running.env; npx onceflow status

Ctrl-C stops the job in order, then the stack.
`;
}

function optionFor(topic: string, byDefault: string): string {
  return topic === byDefault ? '' : ` -- --topic ${topic}`;
}
