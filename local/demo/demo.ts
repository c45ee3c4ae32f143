/**
 * `npm run demo [-- file …]`: words into Kafka, counted exactly once while an attempt in three fails and two of the
 * job's processes are killed with -9; then the exact check. Exit code 1 when a count is missing, doubled or out of order.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../../functions/wiring.ts';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import { createBucket } from '../../lib/aws/s3-blob-store.ts';
import { connectKafka } from '../../lib/kafka/connect.ts';
import { type RunningJob, runJob } from '../functions/run-job.ts';
import { createTopics } from '../stack/kafka-admin.ts';
import { withProgress } from '../stack/progress.ts';
import { openStack } from '../stack/stack.ts';
import { checkCounts, isExact, readCommitted } from './check.ts';
import { LiveView } from './live-view.ts';
import { loadLines } from './load.ts';
import { countWords, readLines } from './texts.ts';
import { visible } from './watch.ts';

const LOAD_SECONDS = 12;
const KILLS = 2;
const FINISH_WITHIN_MS = 120_000;
const SHOWN = 5;

const { positionals } = parseArgs({ allowPositionals: true });
const lines = readLines(positionals);
const expected = countWords(lines);
const words = [...expected.values()].reduce((sum, count) => sum + count, 0);
// A run of its own, also on a stack that is used by others.
const run = randomBytes(3).toString('hex');
const topics = { input: `flink_kafka-${run}`, output: `flink_kafka2-${run}` };
const bucket = `onceflow-demo-${run}`;

console.log(
  `Counting ${words} words (${expected.size} different) in ${lines.length} lines, exactly once; an attempt in three fails on purpose.`,
);
const stack = await openStack();
Object.assign(process.env, stack.env);
await Promise.all([
  createTopics(stack.kafka.bootstrap, [{ topic: topics.input }, { topic: topics.output }]),
  createTable(createDynamoDbClient(), 'onceflow'),
  createBucket(createS3Client(), bucket),
]);
const kafka = await connectKafka({ brokers: [stack.kafka.bootstrap], clientId: 'onceflow-demo-watch', clock: systemClock });
const view = new LiveView(lines.length);
const job = await runJob({
  env: {
    ...process.env,
    ONCEFLOW_JOB: './jobs/word-count-failing-attempts.ts',
    ONCEFLOW_JOB_NAME: `demo-${run}`,
    ONCEFLOW_TOPICS: `read-lines=${topics.input},write-counts=${topics.output}`,
    ONCEFLOW_STARTING_OFFSETS: 'earliest',
    ONCEFLOW_BLOBS: `s3://${bucket}`,
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: '250',
  },
  onEvent: (event) => view.take(event),
  onLog: (name, line) => view.say(`${name}: ${line}`),
  onCrash: (name, how) => view.say(`${name} ended with ${how}; it is started again`, 31),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => process.exit(1)); // The job's processes and the stack end with this one.
}

const loading = loadLines(stack.kafka.bootstrap, topics.input, lines, LOAD_SECONDS);
const killing = killAtRandom(job);
await untilCommitted();
await killing;
const end = await job.stop();
const seen = await withProgress(
  "reading the output with Kafka's console consumer",
  console.log,
  readCommitted(stack.kafka.bootstrap, topics.output, words),
);
const result = checkCounts(seen, expected);

console.log(`
  input            ${lines.length} lines, ${words} words, ${expected.size} different
  output           ${result.records} records, read by Kafka's console consumer with read_committed
  epochs           ${view.epochs} committed, ${view.failures} failed attempts, ${view.kills} processes killed with -9, ${view.republished} transactions published again
  job              ${end.end}: ${end.message}
  missing          ${result.missing.length} ${result.missing.slice(0, SHOWN).join(' ')}
  duplicated       ${result.extra.length} ${result.extra.slice(0, SHOWN).join(' ')}
  out of order     ${result.disordered.length} ${result.disordered.slice(0, SHOWN).join(' ')}

  ${isExact(result) ? 'EXACT: for every word the counts 1..n, once each, ascending.' : 'NOT EXACT.'}
`);
await kafka.close();
await stack.stop();
process.exit(isExact(result) && end.end === 'stopped' ? 0 : 1);

/** Kills function processes at random moments while the lines are loaded. */
async function killAtRandom(running: RunningJob): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep((LOAD_SECONDS * 1000 * (kill + Math.random())) / KILLS);
    const alive = [...running.processes()];
    const [name, pid] = alive[Math.floor(Math.random() * alive.length)] ?? [];
    if (name === undefined || pid === undefined) continue;
    view.kills++;
    view.say(`kill -9 ${name} (process ${pid})`, 31);
    process.kill(pid, 'SIGKILL');
  }
}

/** Draws until everything that was loaded has been counted and committed. */
async function untilCommitted(): Promise<void> {
  const deadline = Date.now() + FINISH_WITHIN_MS;
  let ended = false;
  void job.ended.then(() => {
    ended = true;
  });
  let loaded = false;
  void loading.done.then(() => {
    loaded = true;
  });
  for (let quiet = 0; quiet < 3 && !ended; ) {
    view.loaded = loading.sent;
    const before = view.visible;
    view.visible = await visible(kafka, topics.output);
    view.draw();
    // Every transaction adds a control record in each partition that it wrote to, so records alone are fewer.
    const settled =
      loaded &&
      view.visible.committed === before.committed &&
      view.visible.committed === view.visible.uncommitted &&
      view.visible.committed > words;
    quiet = settled ? quiet + 1 : 0;
    if (Date.now() > deadline) {
      view.say(`gave up waiting after ${FINISH_WITHIN_MS / 1000} s`, 31);
      return;
    }
    await sleep(process.stdout.isTTY ? 200 : 1_000);
  }
}
