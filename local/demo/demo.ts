/** `npm run demo`: see USAGE. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJob } from '../../host/job/configured-job.ts';
import { openHost } from '../../host/process.ts';
import { openEpochStore } from '../../host/stores.ts';
import { systemClock } from '../../host/system.ts';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import { createBucket } from '../../lib/aws/s3-blob-store.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { connectKafka } from '../../lib/kafka/connect.ts';
import { reasonOf } from '../../lib/ports/reason.ts';
import { fileIn, runCommand } from '../command.ts';
import { runJob } from '../functions/run-job.ts';
import { createTopics } from '../stack/kafka-admin.ts';
import { withProgress } from '../stack/progress.ts';
import { openStack } from '../stack/stack.ts';
import { sayUnused, useStack } from '../use-stack.ts';
import { checkCounts, isExact, readCommitted } from './check.ts';
import { LiveView } from './live-view.ts';
import { loadLines } from './load.ts';
import { createZombie, killAtRandom } from './mischief.ts';
import { overlapOf } from './run-history.ts';
import { countWords, readLines } from './texts.ts';
import { drawTimeline } from './timeline.ts';
import { isAllCommitted, visible } from './watch.ts';

const KILLS = 2;
const FINISH_WITHIN_MS = 120_000;
const SHOWN = 5;
const TIMELINE_ROW_MS = 2_000;

const USAGE = `npm run demo [-- [--seconds S] [--timeline FILE] [FILE …]]

Words into Kafka, counted exactly once while an attempt in ten fails, two of the job's processes are killed with -9, and a zombie fences
a decided transaction; then the exact check. Exit code 1 when a count is missing, doubled or out of order. The words are those of the
files, or of guides that come with this checkout's packages.

  --seconds S        the words are spread over so long (default 12)
  --timeline FILE    draws, as SVG, which stage worked on which epoch when`;

await runCommand(
  {
    name: 'npm run demo',
    usage: USAGE,
    options: { timeline: { type: 'string' }, seconds: { type: 'string', default: '12' } },
    positionals: true,
  },
  async ({ timeline: drawing, seconds }, files) => {
    const timeline = fileIn('timeline', drawing);
    const loadSeconds = Number(seconds);
    if (!(loadSeconds > 0 && loadSeconds < 3_600))
      throw new UsageError(`--seconds is ${JSON.stringify(seconds)}: it must be a number above 0`);
    const lines = linesIn(files);
    const expected = countWords(lines);
    const words = [...expected.values()].reduce((sum, count) => sum + count, 0);
    // A run of its own, also on a stack that is used by others.
    const run = randomBytes(3).toString('hex');
    const topics = { input: `flink_kafka-${run}`, output: `flink_kafka2-${run}` };
    const bucket = `onceflow-demo-${run}`;

    const fixed = {
      ONCEFLOW_JOB: './jobs/word-count-failing-attempts.ts',
      // No record is to blame, however often attempts fail.
      ONCEFLOW_POISON_ATTEMPTS: 'unlimited',
      ONCEFLOW_JOB_NAME: `demo-${run}`,
      ONCEFLOW_TOPICS: `read-lines=${topics.input},write-counts=${topics.output}`,
      ONCEFLOW_STARTING_OFFSETS: 'earliest',
      ONCEFLOW_TABLE: 'onceflow',
      ONCEFLOW_BLOBS: `s3://${bucket}`,
    };
    sayUnused(Object.keys(fixed), 'the demo sets it');
    const asked = {
      // Epochs that follow each other faster than one goes through all stages, so that they are seen to overlap.
      ONCEFLOW_CHECKPOINT_INTERVAL_MS: '25',
      ONCEFLOW_RESTART_BACKOFF_MS: '20',
      ATTEMPT_FAILURE_PROBABILITY: '0.1',
      ...process.env,
      ...fixed,
    };
    // Before anything starts: where Kafka will be changes nothing in what is right.
    await readJob({ ...asked, ONCEFLOW_BROKERS: process.env['ONCEFLOW_BROKERS'] || 'not-started-yet:9092' });

    console.log(
      `Counting ${words} words (${expected.size} different) in ${lines.length} lines, exactly once; an attempt in ten fails on purpose.`,
    );
    const stack = await openStack();
    useStack(stack);
    await Promise.all([
      createTopics(stack.kafka.bootstrap, [{ topic: topics.input }, { topic: topics.output }]),
      createTable(createDynamoDbClient(), 'onceflow'),
      createBucket(createS3Client(), bucket),
    ]);
    const kafka = await connectKafka({ brokers: stack.kafka.bootstrap.split(','), clientId: 'onceflow-demo-watch', clock: systemClock });
    const env = { ...asked, ...stack.env };
    const {
      config,
      blobs,
      plan: { stages },
    } = await openHost(env);
    const epochs = await openEpochStore(config);
    const view = new LiveView(
      lines.length,
      stages.map(({ id }) => id),
    );
    const source = stages.find(({ kind }) => kind === 'source')?.id ?? '';
    const sink = stages.find(({ kind }) => kind === 'sink')?.id ?? '';
    const zombie = createZombie(
      env.ONCEFLOW_JOB_NAME,
      sink,
      kafka,
      () => job.processes().get(`sink-${sink}`),
      (what) => view.fenced(what),
    );
    const { promise: up, resolve: isUp } = Promise.withResolvers<void>();
    const job = await runJob({
      env,
      onEvent: (event) => {
        view.take(event);
        zombie.take(event);
        if (event.event === 'recovered') isUp();
      },
      onLog: (name, line) => view.say(`${name}: ${line}`),
      onCrash: (name, how) => view.say(`${name} ended with ${how}; it is started again`, 31),
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => process.exit(1)); // The job's processes and the stack end with this one.
    }

    await Promise.race([up, job.ended]);
    const loadedFromMs = view.nowMs;
    const loading = loadLines(stack.kafka.bootstrap, topics.input, lines, loadSeconds);
    const killing = killAtRandom(job, KILLS, loadSeconds, (name, pid) => view.killed(name, pid));
    setTimeout(zombie.arm, (loadSeconds * 1000) / 3);
    await untilCommitted();
    await killing;
    const end = await job.stop();
    const endedMs = view.nowMs;
    const seen = await withProgress(
      "reading the output with Kafka's console consumer",
      console.log,
      readCommitted(stack.kafka.bootstrap, topics.output, words),
    );
    const result = checkCounts(seen, expected);
    const overlap = overlapOf(view.history.bars);
    if (timeline !== undefined) {
      const title = `${words} words counted exactly once: ${view.epochs} epochs, ${view.failures} failed attempts, ${view.kills} processes killed, ${view.republished} transactions published again`;
      writeFileSync(timeline, drawTimeline(view.history, { title, fromMs: loadedFromMs, toMs: endedMs, rowMs: TIMELINE_ROW_MS }));
    }

    console.log(`
  input            ${lines.length} lines, ${words} words, ${expected.size} different
  output           ${result.records} records, read by Kafka's console consumer with read_committed
  epochs           ${view.epochs} committed, ${view.failures} failed attempts, ${view.kills} processes killed with -9, ${view.republished} transactions published again
  overlap          up to ${overlap.most} epochs worked on at once, two or more in ${Math.round(100 * overlap.share)} % of the working time
  job              ${end.end}: ${end.message}
  missing          ${result.missing.length} ${result.missing.slice(0, SHOWN).join(' ')}
  duplicated       ${result.extra.length} ${result.extra.slice(0, SHOWN).join(' ')}
  out of order     ${result.disordered.length} ${result.disordered.slice(0, SHOWN).join(' ')}

  timeline         ${timeline ?? 'not drawn; --timeline run.svg draws it'}

  ${isExact(result) ? 'EXACT: for every word the counts 1..n, once each, ascending.' : 'NOT EXACT.'}
`);
    await kafka.close();
    await stack.stop();
    // Connections may be open still.
    process.exit(isExact(result) && end.end === 'stopped' ? 0 : 1);

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
      const watched = { epochs, blobs, kafka, job: env.ONCEFLOW_JOB_NAME, source, input: topics.input };
      for (let all = false; !all && !ended; ) {
        all = loaded && (await isAllCommitted(watched));
        view.loaded = loading.sent;
        view.visible = await visible(kafka, topics.output);
        view.draw();
        if (Date.now() > deadline) {
          view.say(`gave up waiting after ${FINISH_WITHIN_MS / 1000} s`, 31);
          return;
        }
        await sleep(process.stdout.isTTY ? 100 : 1_000);
      }
    }
  },
);

/** @throws UsageError: a file cannot be read, or there is nothing in it */
function linesIn(files: readonly string[]): string[] {
  try {
    const lines = readLines(files);
    if (lines.length > 0) return lines;
  } catch (error) {
    throw new UsageError(`a text cannot be read: ${reasonOf(error)}`);
  }
  throw new UsageError(`there is no line in ${files.join(', ')}`);
}
