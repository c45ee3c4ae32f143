/** `npm run bench:sinks`: see USAGE. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createDynamoDbClient, createS3Client } from '../lib/aws/clients.ts';
import { createTable } from '../lib/aws/dynamo-table.ts';
import { createBucket } from '../lib/aws/s3-blob-store.ts';
import { runCommand, wholeNumber } from '../local/command.ts';
import { loadLines } from '../local/demo/load.ts';
import { countWords, readLines } from '../local/demo/texts.ts';
import { runJob } from '../local/functions/run-job.ts';
import { startClickHouse } from '../local/stack/clickhouse.ts';
import { createTopics } from '../local/stack/kafka-admin.ts';
import { openKeeper } from '../local/stack/kept-process.ts';
import { startStack } from '../local/stack/stack.ts';
import { useStack } from '../local/use-stack.ts';
import { describeMachine, load } from './harness/machine.ts';

const USAGE = `npm run bench:sinks [-- [--rounds N] [--times N]]

The same words, counted into each sink there is: how many results a second are committed, from the plan of the first epoch to the commit of
the last, with the input in Kafka beforehand. One subtask of each stage; the sinks take turns, round by round. Nothing is compared with others.

  --rounds N   each sink is measured so often (default 3), behind a run that is not counted
  --times N    the words are those of guides that come with this checkout's packages, so often (default 10); for DynamoDB's emulator once`;

/** By what `bench/jobs/sinks.ts` calls it. */
const SINKS = [
  { to: 'topic', says: 'Kafka, exactly once', guarantee: 'exactly-once' },
  { to: 'topic', says: 'Kafka, at least once', guarantee: 'at-least-once' },
  { to: 'deliver', says: 'writeAheadSink, to a function that does nothing', guarantee: 'exactly-once' },
  { to: 'items', says: 'DynamoDB items (emulator)', guarantee: 'exactly-once' },
  { to: 'json-lines', says: 'files, JSON lines, in S3 (emulator)', guarantee: 'exactly-once' },
  { to: 'csv', says: 'files, CSV, in S3 (emulator)', guarantee: 'exactly-once' },
  { to: 'parquet', says: 'files, Parquet, in S3 (emulator)', guarantee: 'exactly-once' },
  { to: 'clickhouse', says: "ClickHouse (chdb's engine behind HTTP)", guarantee: 'exactly-once' },
] as const;

const RUN_WITHIN_MS = 120_000;
const LOAD_SECONDS = 2;

await runCommand(
  {
    name: 'npm run bench:sinks',
    usage: USAGE,
    options: { rounds: { type: 'string', default: '3' }, times: { type: 'string', default: '10' } },
  },
  async (given) => {
    const [rounds, times] = [wholeNumber('rounds', given.rounds, 1), wholeNumber('times', given.times, 1)];
    const lines = readLines([]);
    const words = [...countWords(lines).values()].reduce((sum, count) => sum + count, 0);
    const stack = await startStack();
    useStack(stack);
    const keeper = await openKeeper();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
    try {
      const clickHouse = await startClickHouse(keeper);
      const folder = mkdtempSync(join(tmpdir(), 'onceflow-bench-'));
      keeper.removeAtEnd(folder);
      const at = { folder, clickHouse: clickHouse.url, brokers: stack.kafka.bootstrap, env: { ...process.env, ...stack.env } };
      const once = await loaded(at.brokers, 'words-once', lines, words);
      const often = await loaded(at.brokers, 'words-often', Array.from({ length: times }, () => lines).flat(), words * times);
      await measure(SINKS[0], often, at);
      const loads = [load()];
      const rates = SINKS.map((): number[] => []);
      for (let round = 0; round < rounds; round++)
        for (const [index, sink] of SINKS.entries()) {
          const rate = await measure(sink, sink.to === 'items' ? once : often, at);
          rates[index]?.push(rate);
          console.error(`round ${round + 1} of ${rounds}: ${sink.says}: ${Math.round(rate)} a second`);
          loads.push(load());
        }
      console.log(tableOf(rates));
      const { processor, cores, memoryGb, node } = describeMachine();
      const span = `${Math.min(...loads)} to ${Math.max(...loads)}`;
      console.log(
        `\n${often.words} results in a run (${once.words} to the emulator's DynamoDB), ${rounds} rounds; ${processor}, ${cores} cores, ${memoryGb} GB, Node ${node}; load ${span}`,
      );
      return 0;
    } finally {
      await keeper.close();
      await stack.stop();
    }
  },
);

/** A topic, with so many words in it. */
interface Input {
  readonly topic: string;
  readonly words: number;
}

async function loaded(brokers: string, topic: string, lines: readonly string[], words: number): Promise<Input> {
  await createTopics(brokers, [{ topic }]);
  await loadLines(brokers, topic, lines, LOAD_SECONDS).done;
  return { topic, words };
}

interface At {
  readonly folder: string;
  readonly clickHouse: string;
  readonly brokers: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Results a second. */
async function measure({ to, guarantee }: (typeof SINKS)[number], { topic, words }: Input, at: At): Promise<number> {
  const place = `sinks-${randomBytes(4).toString('hex')}`;
  const table = `CREATE TABLE ${place.replaceAll('-', '_')} (word String, count UInt64) ENGINE = MergeTree ORDER BY word SETTINGS non_replicated_deduplication_window = 1000`;
  await Promise.all([
    createTopics(at.brokers, [{ topic: place }]),
    createBucket(createS3Client(), place),
    createTable(createDynamoDbClient(), place),
    fetch(at.clickHouse, { method: 'POST', body: table }),
  ]);
  const { promise: all, resolve, reject } = Promise.withResolvers<number>();
  let [fromMs, results] = [0, 0];
  const job = await runJob({
    env: {
      ...at.env,
      ONCEFLOW_JOB: './bench/jobs/sinks.ts',
      ONCEFLOW_JOB_NAME: place,
      ONCEFLOW_TOPICS: to === 'topic' ? `read-lines=${topic},write-counts=${place}` : `read-lines=${topic}`,
      ONCEFLOW_TABLE: pathToFileURL(join(at.folder, `${place}.sqlite`)).href,
      ONCEFLOW_BLOBS: pathToFileURL(at.folder).href,
      ONCEFLOW_DELIVERY_GUARANTEE: guarantee,
      ONCEFLOW_CHECKPOINT_INTERVAL_MS: '500',
      BENCH_SINK: to,
      BENCH_PLACE: place,
      BENCH_CLICKHOUSE: at.clickHouse,
    },
    onEvent(event) {
      if (event.event === 'planned' && fromMs === 0) fromMs = performance.now();
      if (event.event === 'committed') results += event.figures.recordsOut;
      if (results >= words) resolve((words * 1_000) / (performance.now() - fromMs));
    },
  });
  void job.ended.then(({ end, message }) => reject(new Error(`the job with sink ${to} ended: ${end}: ${message}`)));
  const patience = setTimeout(() => reject(new Error(`${to}: not all results within ${RUN_WITHIN_MS} ms`)), RUN_WITHIN_MS);
  try {
    return await all;
  } finally {
    clearTimeout(patience);
    await job.killAll();
  }
}

function tableOf(rates: readonly (readonly number[])[]): string {
  const [kafka = 1] = rates.map(medianOf);
  const rows = SINKS.map(({ says }, index) => {
    const [median, of] = [medianOf(rates[index] ?? []), rates[index] ?? []];
    return `| ${says} | ${shown(median)} | ${shown(Math.min(...of))} to ${shown(Math.max(...of))} | ${(median / kafka).toFixed(2)} |`;
  });
  return ['| sink | results a second, median | least and most | beside Kafka |', '|---|---|---|---|', ...rows].join('\n');
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function shown(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
