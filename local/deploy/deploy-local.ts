/**
 * `npm run deploy:local [-- --keep]`: the whole system as on AWS, on this machine: bootstraps the emulator, deploys the word
 * count with the CDK's own command line, starts it, writes three lines to the real Kafka broker and reads their counts.
 * `--keep` lets it run until Ctrl-C.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createLambdaClient } from '../../lib/aws/clients.ts';
import { startCoordinator } from '../../lib/aws/start-coordinator.ts';
import { checkCounts, isExact, readCommitted } from '../demo/check.ts';
import { loadLines } from '../demo/load.ts';
import { countWords } from '../demo/texts.ts';
import { forgetRunning, rememberRunning } from '../running.ts';
import { createTopics } from '../stack/kafka-admin.ts';
import { withProgress } from '../stack/progress.ts';
import { openStack } from '../stack/stack.ts';
import { createCdk } from './cdk.ts';

const TOPICS = { input: 'flink_kafka', output: 'flink_kafka2' };
const LINES = ['hello world hello', 'to be or not to be', 'hello again'];
const say = (line: string) => console.log(line);

const { values } = parseArgs({ options: { keep: { type: 'boolean' } } });
const stack = await openStack();
Object.assign(process.env, stack.env);
const cdk = createCdk(stack);
try {
  await createTopics(stack.kafka.bootstrap, [{ topic: TOPICS.input }, { topic: TOPICS.output }]);
  await withProgress('cdk bootstrap', say, cdk.bootstrap());
  // The input may be there before the job has its starting offsets.
  const parameters = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_STARTING_OFFSETS: 'earliest' };
  const deployed = await withProgress('cdk deploy', say, cdk.deploy(parameters));
  say(`deployed ${deployed.stackName}, build ${deployed.buildId}`);
  await startCoordinator(createLambdaClient(), deployed.coordinator);
  await loadLines(stack.kafka.bootstrap, TOPICS.input, LINES, 1).done;
  const expected = countWords(LINES);
  const counts = await withProgress('counting', say, committedCounts([...expected.values()].reduce((sum, count) => sum + count, 0)));
  say(counts.join('  '));
  if (!isExact(checkCounts(counts, expected))) throw new Error('the counts are not exact');
  say('exact: every word once for each time it is in the input');
  if (values.keep === true) await keep({ ...parameters, ONCEFLOW_TABLE: deployed.table, ONCEFLOW_BLOBS: deployed.blobs });
} finally {
  cdk.close();
  await stack.stop();
}

/** Reads until there are enough; the consumer itself gives up when nothing comes for five seconds. */
async function committedCounts(enough: number): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const lines = await readCommitted(stack.kafka.bootstrap, TOPICS.output, enough).catch((error: unknown) => {
      if (tries >= 5) throw error;
      return [];
    });
    if (lines.length >= enough) return lines;
  }
}

async function keep(parameters: Readonly<Record<string, string>>): Promise<void> {
  rememberRunning({ brokers: stack.kafka.bootstrap }, { ...parameters, ONCEFLOW_BROKERS: stack.kafka.bootstrap, ...stack.env });
  say(`
The word count runs as Lambda functions of the emulator at ${stack.aws.endpoint}, on Kafka at ${stack.kafka.bootstrap}.

  Type lines for it:              npm run console:produce
  Watch what it commits:          npm run console:consume
  Look at the job and control it: . .onceflow/running.env; npx onceflow status

Ctrl-C ends everything.
`);
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  forgetRunning();
}
