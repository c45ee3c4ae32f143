/**
 * `npm run local [-- --dir <folder>] [--no-takeover]`: the stack, the topics and the word count, until Ctrl-C. With `--dir`
 * the data stay there, and the next start goes on from them. ONCEFLOW_… variables set the job's parameters; `--no-takeover`
 * is short for ONCEFLOW_TAKEOVER=refuse.
 */
import { parseArgs } from 'node:util';
import { createDynamoDbClient, createS3Client } from '../lib/aws/clients.ts';
import { createTable } from '../lib/aws/dynamo-table.ts';
import { createBucket } from '../lib/aws/s3-blob-store.ts';
import type { CoordinatorEvent } from '../lib/epoch/events.ts';
import { runJob } from './functions/run-job.ts';
import { forgetRunning, rememberRunning } from './running.ts';
import { createTopics } from './stack/kafka-admin.ts';
import { openStack } from './stack/stack.ts';

const TOPICS = { input: 'flink_kafka', output: 'flink_kafka2' };
const TABLE = 'onceflow';
const BUCKET = 'onceflow-local';

const { values } = parseArgs({ options: { dir: { type: 'string' }, 'no-takeover': { type: 'boolean' } } });
const stack = await openStack({ dir: values.dir });
const env = {
  ONCEFLOW_JOB: './jobs/word-count.ts',
  ONCEFLOW_TABLE: TABLE,
  ONCEFLOW_BLOBS: `s3://${BUCKET}`,
  ...process.env,
  ...(values['no-takeover'] === true ? { ONCEFLOW_TAKEOVER: 'refuse' } : {}),
  ...stack.env,
};
Object.assign(process.env, stack.env);
await Promise.all([
  createTopics(stack.kafka.bootstrap, [{ topic: TOPICS.input }, { topic: TOPICS.output }]),
  createTable(createDynamoDbClient(), TABLE),
  createBucket(createS3Client(), BUCKET),
]);
const parameters = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('ONCEFLOW_')));
rememberRunning({ brokers: stack.kafka.bootstrap }, { ...parameters, ...stack.env });

const job = await runJob({
  env,
  onEvent: (event) => {
    const line = lineOf(event);
    if (line !== undefined) console.log(line);
  },
  onLog: (name, line) => console.log(`${name}: ${line}`),
  onCrash: (name, how) => console.log(`${name} ended with ${how}: it is started again`),
});

console.log(`
The word count runs on Kafka at ${stack.kafka.bootstrap} and AWS at ${stack.aws.endpoint}.

  In a second terminal, type lines for topic ${TOPICS.input}:     npm run console:produce
  In a third one, watch topic ${TOPICS.output} as it is committed:  npm run console:consume
  The transactions that Kafka knows of:                     npm run console:transactions
  Look at the job and control it:                           . .onceflow/running.env; npx onceflow status

Ctrl-C stops the job in order, then the stack.
`);

let interrupts = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupts++;
    // What is still running ends with this process; the next start settles what it left open.
    if (interrupts > 1) process.exit(1);
    console.log('\nstopping (once more to stop at once)');
    void job.stop();
  });
}

const { end, message } = await job.ended;
console.log(message === '' ? end : `${end}: ${message}`);
// The job of another process goes on.
if (end !== 'refused' && end !== 'superseded') forgetRunning();
await stack.stop();
process.exit(end === 'stopped' ? 0 : 1);

function lineOf(event: CoordinatorEvent): string | undefined {
  switch (event.event) {
    case 'lease-taken':
      return `generation ${event.generation} leads; last epoch completed: ${event.lastCompleted ?? 'none'}`;
    case 'recovered':
      return `recovered epoch ${event.epoch}: ${event.committed} committed again, ${event.republished} published again`;
    case 'decided':
      return `epoch ${event.epoch} decided: ${event.recordsIn} records in, ${event.recordsOut} out`;
    case 'committed':
      return `epoch ${event.epoch} committed`;
    case 'attempt-failed':
      return `epoch ${event.epoch} failed in ${event.stage}, trying again in ${event.retryInMs} ms: ${event.message}`;
    case 'leaves-out':
      return `topic ${event.topic}, partition ${event.partition}, offset ${event.offset} keeps failing in ${event.reason.operator}: it goes to the dead-letter topic`;
    case 'dead-lettered':
      return `epoch ${event.epoch}: ${event.records} records went to the dead-letter topic`;
    case 'no-progress':
      return `no progress for ${Math.round(event.forMs / 1000)} s, ${event.failuresInARow} failures in a row; the last error: ${event.lastError ?? 'none'}`;
    case 'progress-again':
      return 'there is progress again';
    case 'takes-over':
    case 'data-loss':
      return event.message;
    case 'warning':
      return `warning: ${event.message}`;
    default:
      return undefined;
  }
}
