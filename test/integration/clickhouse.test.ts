import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../host/system.ts';
import type { WriteAheadSink } from '../../lib/api/index.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../lib/ports/sink-targets.ts';
import type { SinkSpec } from '../../lib/sinks/kinds.ts';
import { type ClickHouseRow, clickHouseSink } from '../../lib/targets/clickhouse.ts';
import type { BenchOptions } from '../../lib/testing/drill/sink-bench.ts';
import { type ClickHouseService, startClickHouse } from '../../local/stack/clickhouse.ts';
import { type Keeper, openKeeper } from '../../local/stack/kept-process.ts';
import { sinkContract } from '../contracts/sink.ts';
import type { JobRun } from '../support/job-run.ts';
import { uniqueName } from '../support/topics.ts';
import { waitFor } from '../support/wait-for.ts';
import { newWordCount } from '../support/word-count-run.ts';
import { countWords, someLines } from '../support/word-counts.ts';

interface Row {
  readonly n: number;
  readonly big: bigint;
}

const REMEMBERS = 'SETTINGS non_replicated_deduplication_window = 1000';

let keeper: Keeper;
let server: ClickHouseService;

beforeAll(async () => {
  keeper = await openKeeper({ dir: undefined });
  server = await startClickHouse(keeper);
});
afterAll(() => keeper?.close());

/** As anybody asks over HTTP: no client of the sink's. */
async function ask(query: string): Promise<string> {
  const answer = await fetch(server.url, { method: 'POST', body: query });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

async function newTable(columns: string, engine: string): Promise<string> {
  const table = uniqueName('rows').replaceAll('-', '_');
  await ask(`CREATE TABLE ${table} (${columns}) ENGINE = ${engine}`);
  return table;
}

const lines = (text: string) => text.trimEnd().split('\n');

describe("ClickHouse's engine has each row once", () => {
  sinkContract('delivered', async (): Promise<BenchOptions> => {
    const table = await newTable('n UInt32, big UInt64', `MergeTree ORDER BY n ${REMEMBERS}`);
    return {
      spec: clickHouseSink<Row>({ url: server.url, table }) as SinkSpec,
      row: (n): Row => ({ n, big: 2n ** 64n - 1n - BigInt(n) }),
      shown: (n) => `row ${n} ${2n ** 64n - 1n - BigInt(n)}`,
      read: async () => lines(await ask(`SELECT concat('row ', toString(n), ' ', toString(big)) FROM ${table}`)),
      kafka: {} as KafkaRequests,
      targets: {} as SinkTargets,
      clock,
      random,
      repeats: false,
    };
  });

  it('also the rows of a batch of 200,000 that fall into many parts', async () => {
    const table = await newTable('n UInt32, day UInt32', `MergeTree PARTITION BY day % 20 ORDER BY n ${REMEMBERS}`);
    const sink = clickHouseSink<{ n: number; day: number }>({ url: server.url, table, maxBatchRows: 200_000 });
    const rows = Array.from({ length: 200_000 }, (_, n) => JSON.stringify({ n, day: n % 97 }));
    for (let time = 0; time < 3; time++) await deliver(sink, rows, 'the/same/batch');
    expect(await ask(`SELECT count(), uniqExact(n) FROM ${table}`)).toBe('200000\t200000\n');
    await deliver(sink, rows.slice(0, 3), 'another/batch');
    expect(await ask(`SELECT count(), uniqExact(n) FROM ${table}`)).toBe('200003\t200000\n');
  });
});

/** As the engine calls it: with what was staged. */
async function deliver<T>({ deliver: call }: WriteAheadSink<T>, staged: readonly string[], id: string): Promise<void> {
  const place = { job: 'j', incarnation: 'i', sink: 's', subtask: 0, epoch: 1, batch: 0, id, signal: AbortSignal.timeout(60_000) };
  await call(staged as readonly unknown[] as readonly T[], place);
}

describe('a job that writes to Kafka and to ClickHouse', () => {
  it('has every row in both once, through kills of the job and of its functions, and ends of ClickHouse in the middle of inserts', async () => {
    const table = await newTable('word String, count UInt64', `MergeTree ORDER BY word ${REMEMBERS}`);
    const count = await newWordCount({
      module: 'test/support/warehouse-job.ts',
      env: { TEST_CLICKHOUSE: server.url, TEST_COUNTS: table, ONCEFLOW_STAGE_PARALLELISM: 'count-words=2,to-warehouse=2' },
    });
    let seed = 0;
    const rows = async () => Number(await ask(`SELECT count() FROM ${table}`));
    const grown = async (run: JobRun) => {
      const before = await rows();
      await count.write(someLines(20, ++seed));
      await waitFor(`more rows in ClickHouse\n${run.told()}`, async () => (await rows()) > before);
    };
    let run = count.job.start({}, 'each');
    for (let round = 0; round < 2; round++) {
      await grown(run);
      // Not by kill -9: a table that is not replicated may remember the token of rows that it has not then (docs/sinks.md).
      await server.end();
      await server.restart();
      await grown(run);
      process.kill(await run.pid('sink-to-warehouse'), 'SIGKILL');
      await grown(run);
      await run.killAll();
      run = count.job.start({}, 'each');
    }
    await grown(run);
    await count.expectExact(run);
    const words = countWords(await count.inputLines());
    const expected = [...words].flatMap(([word, total]) => Array.from({ length: total }, (_, n) => `${word}\t${n + 1}`));
    expect(lines(await ask(`SELECT word, count FROM ${table}`)).sort()).toEqual(expected.sort());
  });
});

describe('ClickHouse refuses, and the message says what', () => {
  const give = (table: string, row: ClickHouseRow) =>
    deliver(clickHouseSink<ClickHouseRow>({ url: server.url, table }), [JSON.stringify(row)], uniqueName('token'));

  it.each([
    ['a column that it has not', { n: 1, m: 2 }, /refuses rows for table default\.\S+: .*\bm\b/],
    ['null in a text that holds none', { text: null }, /refuses rows for table default\.\S+: .*null.*\btext\b/],
    ['a field that its tuple has not', { at: { x: 1, y: 2 } }, /refuses rows for table default\.\S+: .*\bat\b/],
    ['a date that the column does not hold', { day: '2200-01-01' }, /refuses rows for table default\.\S+: .*\bday\b/],
    ['what is no number', { n: 'one' }, /refuses rows for table default\.\S+: .*\bn\b/],
  ])('%s', async (_what, row, message) => {
    const table = await newTable('n UInt32, text String, at Tuple(x UInt8), day Date', `MergeTree ORDER BY n ${REMEMBERS}`);
    await expect(give(table, row)).rejects.toMatchObject({ name: 'DeliveryRefusedError', message: expect.stringMatching(message) });
    expect(await ask(`SELECT count() FROM ${table}`)).toBe('0\n');
  });

  it('a table that is not there, remembers nothing, or has no engine that could, before anything is inserted', async () => {
    const refusal = (message: RegExp) => ({ name: 'DeliveryRefusedError', message: expect.stringMatching(message) });
    await expect(give('no_such', { n: 1 })).rejects.toMatchObject(refusal(/has no table default\.no_such/));
    for (const [engine, message] of [
      ['MergeTree ORDER BY n', /MODIFY SETTING non_replicated_deduplication_window = 1000/],
      ['Log', /has the engine Log/],
    ] as const) {
      const table = await newTable('n UInt32', engine);
      await expect(give(table, { n: 1 })).rejects.toMatchObject(refusal(message));
      expect(await ask(`SELECT count() FROM ${table}`)).toBe('0\n');
      if (engine === 'Log') continue;
      await ask(`ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = 1000`);
      await give(table, { n: 1 });
      expect(lines(await ask(`SELECT n FROM ${table}`))).toEqual(['1']);
    }
  });

  it('a server that is not there is an outage, not a refusal', async () => {
    const sink = clickHouseSink<ClickHouseRow>({ url: 'http://127.0.0.1:1', table: 't' });
    await expect(deliver(sink, ['{}'], 'x')).rejects.not.toMatchObject({ name: 'DeliveryRefusedError' });
  });
});
