import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { startClickHouse } from '../../local/stack/clickhouse.ts';
import { INSTALLED, installed } from '../../local/stack/installed.ts';
import { createTopics } from '../../local/stack/kafka-admin.ts';
import { openKeeper } from '../../local/stack/kept-process.ts';
import { differences } from '../support/differences.ts';
import { JobRun } from '../support/job-run.ts';
import { type Order, orderOf, resultsOf, shown, type Total } from '../support/orders.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { askClickHouse } from './ask-clickhouse.ts';
import type { Ahead } from './plain.ts';
import { type Sample, Watch } from './watch.ts';

export interface ChainOptions {
  readonly brokers: string;
  /** Leads to S3. */
  readonly env: Readonly<Record<string, string>>;
  /** Another one for each run on the same stack. */
  readonly name: string;
  readonly seconds: number;
  readonly kills: number;
  readonly report: (line: string) => void;
}

export interface ChainRun {
  readonly orders: number;
  readonly samples: readonly Sample[];
  /** When everything was killed, in milliseconds of the samples. */
  readonly killedAtMs: readonly number[];
  /** Of each place the job writes to: what it has that it should not, and lacks. All are empty when every row is there once. */
  readonly differences: Readonly<Record<string, readonly string[]>>;
  /** The same of the two tables that the plain way writes to. */
  readonly plainDifferences: Readonly<Record<string, readonly string[]>>;
}

const ORDERS_A_SECOND = 100;
const AHEAD_AT_KILL = 100;
const PAUSE_AFTER_KILL_MS = 300;
const BATCH_MS = 100;
const PLAIN = fileURLToPath(new URL('plain.ts', import.meta.url));
const REMEMBERS = 'non_replicated_deduplication_window = 1000';
const COLUMNS = 'customer String, orders UInt64, cents UInt64';

/** Orders go into Kafka for so long; a job and the plain way bring what comes of them to ClickHouse, and are killed at the same moments. */
export async function runChain({ brokers, env, name, seconds, kills, report }: ChainOptions): Promise<ChainRun> {
  const keeper = await openKeeper();
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-chain-'));
  keeper.removeAtEnd(folder);
  const started: { kill(): Promise<unknown> }[] = [];
  try {
    const [topic, bucket] = [`orders-${name}`, `chain-${name}`];
    const s3 = s3Of(env);
    const [clickHouse] = await Promise.all([
      startClickHouse(keeper),
      createTopics(brokers, [{ topic }]),
      s3.send(new CreateBucketCommand({ Bucket: bucket })),
    ]);
    const { url } = clickHouse;
    for (const [way, settings] of [
      ['', `SETTINGS ${REMEMBERS}`],
      ['plain_', ''],
    ]) {
      await askClickHouse(url, `CREATE TABLE ${way}results (${COLUMNS}) ENGINE = MergeTree ORDER BY customer ${settings}`);
      // Of the rows of one customer the last that was inserted is the one that counts: an upsert.
      await askClickHouse(url, `CREATE TABLE ${way}totals (${COLUMNS}) ENGINE = ReplacingMergeTree ORDER BY customer ${settings}`);
    }
    const jobEnv = jobEnvironment({ env, folder, name, topic, bucket, brokers, url });
    const startJob = () => new JobRun(name, jobEnv);
    const startPlain = () => new PlainRun({ ...jobEnv, CHAIN_STATE: join(folder, 'plain.json') });
    let [job, plain] = [startJob(), startPlain()];
    started.push({ kill: () => Promise.all([job.killAll(), plain.kill()]) });
    await job.event('recovered');
    const watch = new Watch(url);
    started.push({ kill: () => watch.stop() });

    const killedAtMs: number[] = [];
    const isOver = () => watch.nowMs >= seconds * 1_000 && killedAtMs.length === kills;
    const loading = load(brokers, topic, isOver, (orders) => {
      watch.sent += orders;
    });
    for (let kill = 0; kill < kills; kill++) {
      const dueMs = ((kill + 1) * seconds * 1_000) / (kills + 1);
      const hasCommitted = () => job.eventsOf('committed').some(({ figures }) => figures.recordsIn > 0);
      await waitFor(`kill ${kill + 1}`, () => watch.nowMs >= dueMs && plain.ahead >= AHEAD_AT_KILL && hasCommitted());
      await Promise.all([job.killAll(), plain.kill()]);
      killedAtMs.push(watch.nowMs);
      report(`${inSeconds(watch.nowMs)} all is killed with -9, and started; the plain way was ${plain.ahead} results past its checkpoint`);
      await sleep(PAUSE_AFTER_KILL_MS);
      [job, plain] = [startJob(), startPlain()];
    }
    await loading;
    await waitFor(
      `all results of ${watch.sent} orders\n${job.told()}`,
      () => watch.now.ours.orders >= watch.sent && watch.now.plain.orders >= watch.sent,
      100,
    );
    await job.stop();
    await plain.kill();
    const samples = await watch.stop();

    report(`${inSeconds(watch.nowMs)} everything is stopped; every row is compared`);
    const reader = new TopicReader(topic, 'committed', brokers.split(','));
    await reader.readOn();
    const rows = resultsOf(reader.records.map(({ value }) => JSON.parse(value) as Order));
    const last = lastOfEach(rows);
    const tableRows = async (query: string) => (await askClickHouse(url, `${query} FORMAT JSONEachRow`)).map(asShown);
    const files = await filesOf(s3, bucket, join(folder, 'files'));
    const compare = async (way: string) => ({
      [`${way}results`]: differences(
        await tableRows(`SELECT customer, toUInt32(orders) AS orders, toUInt32(cents) AS cents FROM ${way}results`),
        rows,
      ),
      [`${way}totals`]: differences(
        await tableRows(`SELECT customer, toUInt32(orders) AS orders, toUInt32(cents) AS cents FROM ${way}totals FINAL`),
        last,
      ),
    });
    return {
      orders: rows.length,
      samples,
      killedAtMs,
      differences: { ...(await compare('')), files: differences(files.rows, rows), lists: files.wrong },
      plainDifferences: await compare('plain_'),
    };
  } finally {
    await Promise.all(started.map((one) => one.kill()));
    await keeper.close();
  }
}

function s3Of({ AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' }: ChainOptions['env']): S3Client {
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  return new S3Client({ forcePathStyle: true, endpoint: AWS_ENDPOINT_URL ?? '', region: AWS_REGION ?? '', credentials });
}

interface Places {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly name: string;
  readonly topic: string;
  readonly bucket: string;
  readonly brokers: string;
  readonly url: string;
}

function jobEnvironment({ env, folder, name, topic, bucket, brokers, url }: Places): Record<string, string> {
  const { PATH = '', HOME = '', NODE_OPTIONS = '' } = process.env;
  const blobs = join(folder, 'blobs');
  mkdirSync(blobs);
  return {
    PATH,
    HOME,
    NODE_OPTIONS,
    ...env,
    ONCEFLOW_JOB: './test/chain/job.ts',
    ONCEFLOW_JOB_NAME: name,
    ONCEFLOW_BROKERS: brokers,
    ONCEFLOW_TABLE: pathToFileURL(join(folder, 'epochs.sqlite')).href,
    ONCEFLOW_BLOBS: pathToFileURL(blobs).href,
    ONCEFLOW_TOPICS: `read-orders=${topic}`,
    ONCEFLOW_STARTING_OFFSETS: 'earliest',
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: '250',
    CHAIN_BROKERS: brokers,
    CHAIN_TOPIC: topic,
    CHAIN_CLICKHOUSE: url,
    CHAIN_BUCKET: bucket,
  };
}

/** The plain way's process. */
class PlainRun {
  /** So many results have been written since its last checkpoint. */
  ahead = 0;
  readonly #child: ChildProcess;

  constructor(env: Readonly<Record<string, string>>) {
    this.#child = fork(PLAIN, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', ({ ahead }: Ahead) => {
      this.ahead = ahead;
    });
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

async function load(brokers: string, topic: string, isOver: () => boolean, sent: (orders: number) => void): Promise<void> {
  const kafka = new Kafka({ clientId: 'chain-load', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
  await producer.connect();
  try {
    const perBatch = (ORDERS_A_SECOND * BATCH_MS) / 1_000;
    for (let n = 0; !isOver(); n += perBatch) {
      const orders = Array.from({ length: perBatch }, (_, index) => orderOf(n + index));
      await producer.send({ topic, messages: orders.map((order) => ({ key: order.customer, value: JSON.stringify(order) })) });
      sent(orders.length);
      await sleep(BATCH_MS);
    }
  } finally {
    await producer.disconnect();
  }
}

function asShown(line: string): string {
  return shown(JSON.parse(line) as Total);
}

function lastOfEach(rows: readonly string[]): string[] {
  return [...new Map(rows.map((row) => [row.slice(0, row.indexOf(':')), row])).values()];
}

const DUCKDB = `
import duckdb, json, sys
for row in duckdb.sql(f"select customer, orders, cents from read_parquet('{sys.argv[1]}/*.parquet')").fetchall():
    print(json.dumps(dict(zip(("customer", "orders", "cents"), row))))
`;

/** What DuckDB reads of the files, and what is wrong with their lists. */
async function filesOf(s3: S3Client, Bucket: string, folder: string): Promise<{ readonly rows: string[]; readonly wrong: string[] }> {
  mkdirSync(folder);
  const files = new Map<string, number>();
  const listed = new Map<string, number>();
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket }))
    for (const { Key = '' } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      if (Key.endsWith('.parquet')) {
        files.set(Key, bytes.length);
        writeFileSync(join(folder, basename(Key)), bytes);
      } else
        for (const file of (JSON.parse(String(bytes)) as { files: { key: string; bytes: number }[] }).files)
          listed.set(`results/${file.key}`, file.bytes);
    }
  const text = execFileSync(installed('duckdb', INSTALLED.duckdbPython), ['-c', DUCKDB, folder], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  rmSync(folder, { recursive: true });
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  const asText = (of: ReadonlyMap<string, number>) => [...of].map(([key, bytes]) => `${key} of ${bytes} bytes`);
  const wrong = [...differences(asText(listed), asText(files)), ...Uploads.map(({ Key }) => `an open upload of ${Key}`)];
  return { rows: text.split('\n').slice(0, -1).map(asShown), wrong };
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1).padStart(6)} s`;
}
