/** `npm run deploy:local`: see USAGE. */
import { once } from 'node:events';
import type { JobSummary } from '../../host/job/describe.ts';
import { openEpochStore } from '../../host/stores.ts';
import { systemClock } from '../../host/system.ts';
import { givenBy, readSettings } from '../../infra/settings.ts';
import { createLambdaClient } from '../../lib/aws/clients.ts';
import { startCoordinator } from '../../lib/aws/start-coordinator.ts';
import type { Reader } from '../../lib/config/parameters/row.ts';
import { parameters, rows } from '../../lib/config/parameters.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { runCommand } from '../command.ts';
import { DEFAULT_TOPICS } from '../default-topics.ts';
import { checkCounts, isExact, readCommitted } from '../demo/check.ts';
import { loadLines } from '../demo/load.ts';
import { countWords } from '../demo/texts.ts';
import { topicsOf } from '../job-topics.ts';
import { rememberRunning } from '../running.ts';
import { createTopics } from '../stack/kafka-admin.ts';
import { withProgress } from '../stack/progress.ts';
import { openStack, type Stack } from '../stack/stack.ts';
import { useStack } from '../use-stack.ts';
import { createCdk, type Outputs } from './cdk.ts';

const USAGE = `npm run deploy:local [-- --keep]

The whole system as on AWS, on this machine: bootstraps the emulator, deploys the word count with the CDK's own command line, starts
it, writes three lines to the real Kafka broker and reads their counts. ONCEFLOW_JOB names another job, and every other ONCEFLOW_…
variable that a deployment takes goes along; of another job it is checked that it starts.

  --keep    lets it run until Ctrl-C`;

const WORD_COUNT = './jobs/word-count.ts';
const LINES = ['hello world hello', 'to be or not to be', 'hello again'];
const OF_A_CHECKOUT: readonly Reader[] = ['local', 'test', 'bench'];
/** Read by commands of this machine, not by a deployment; and the brokers are those of the stack. */
const NOT_FOR_A_DEPLOYMENT: readonly string[] = [
  parameters.brokers.variable,
  ...rows.filter(([, { readBy }]) => readBy.every((reader) => OF_A_CHECKOUT.includes(reader))).map(([, { variable }]) => variable),
];
const START_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
const say = (line: string) => console.log(line);

await runCommand({ name: 'npm run deploy:local', usage: USAGE, options: { keep: { type: 'boolean' } } }, async ({ keep }) => {
  const asked = Object.entries(givenBy(process.env, {})).filter(([name]) => !NOT_FOR_A_DEPLOYMENT.includes(name));
  // The input may be there before the job has its starting offsets.
  const given = { ONCEFLOW_JOB: WORD_COUNT, ONCEFLOW_STARTING_OFFSETS: 'earliest', ...Object.fromEntries(asked) } as Record<string, string>;
  // Before anything starts, and in the words of this machine: the CDK's command line would wrap them into its own.
  const { job } = readSettings({ ONCEFLOW_BROKERS: 'not-started-yet:9092', ...given });
  const stack = await openStack();
  useStack(stack);
  try {
    await deploy(stack, job, given, keep === true);
  } finally {
    await stack.stop();
  }
  return 0;
});

async function deploy(stack: Stack, job: JobSummary, parameters: Readonly<Record<string, string>>, keep: boolean): Promise<void> {
  const cdk = createCdk(stack);
  const topics = new Set(topicsOf(job.plan));
  try {
    await createTopics(
      stack.kafka.bootstrap,
      [...topics].map((topic) => ({ topic })),
    );
    await withProgress('cdk bootstrap', say, cdk.bootstrap());
    const deployed = await withProgress('cdk deploy', say, cdk.deploy(parameters));
    say(`deployed ${deployed.stackName}, build ${deployed.buildId}`);
    await startCoordinator(createLambdaClient(), deployed.coordinator, systemClock);
    if (isWordCount(job)) await countLines(stack);
    else await withProgress(`waiting for job ${job.name} to start`, say, isUp(job.name, deployed));
    if (keep) await untilInterrupted(stack, job, { ...parameters, ONCEFLOW_TABLE: deployed.table, ONCEFLOW_BLOBS: deployed.blobs });
  } finally {
    cdk.close();
  }
}

/** The one of this checkout, on its own topics. */
function isWordCount({ name, plan }: JobSummary): boolean {
  const topics = topicsOf(plan);
  return name === 'word-count' && String(topics) === String(Object.values(DEFAULT_TOPICS));
}

async function countLines(stack: Stack): Promise<void> {
  await loadLines(stack.kafka.bootstrap, DEFAULT_TOPICS.produce, LINES, 1).done;
  const expected = countWords(LINES);
  const words = [...expected.values()].reduce((sum, count) => sum + count, 0);
  const counts = await withProgress('counting', say, committedCounts(stack, words));
  say(counts.join('  '));
  if (!isExact(checkCounts(counts, expected))) throw new Error('the counts are not exact');
  say('exact: every word once for each time it is in the input');
}

/** Reads until there are enough; the consumer itself gives up when nothing comes for five seconds. */
async function committedCounts(stack: Stack, enough: number): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const lines = await readCommitted(stack.kafka.bootstrap, DEFAULT_TOPICS.consume, enough).catch((error: unknown) => {
      if (tries >= 5) throw error;
      return [];
    });
    if (lines.length >= enough) return lines;
  }
}

/** Its starting offsets are its first epoch. */
async function isUp(job: string, { table }: Outputs): Promise<void> {
  const epochs = await openEpochStore({ table });
  for (const untilMs = Date.now() + START_WITHIN_MS; ; await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))) {
    const row = await epochs.readJob(job);
    if (row?.failure !== undefined) throw new UsageError(row.failure);
    if (row?.lastCompleted !== undefined) return say(`job ${job} runs`);
    if (Date.now() > untilMs) throw new Error(`job ${job} has not started within ${START_WITHIN_MS / 1000} s`);
  }
}

async function untilInterrupted(stack: Stack, job: JobSummary, parameters: Readonly<Record<string, string>>): Promise<void> {
  const forget = rememberRunning(stack, {
    ...parameters,
    ONCEFLOW_JOB_NAME: job.name,
    ONCEFLOW_BROKERS: stack.kafka.bootstrap,
    ...stack.env,
  });
  say(`
Job ${job.name} runs as Lambda functions of the emulator at ${stack.aws.endpoint}, on Kafka at ${stack.kafka.bootstrap}.

  Type lines for it:              npm run console:produce
  Watch what it commits:          npm run console:consume
  Look at the job and control it: . .onceflow/running.env; npx onceflow status

Ctrl-C ends everything.
`);
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  forget();
}
