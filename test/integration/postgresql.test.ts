import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../host/system.ts';
import type { WriteAheadSink } from '../../lib/api/index.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../lib/ports/sink-targets.ts';
import type { SinkSpec } from '../../lib/sinks/kinds.ts';
import type { BenchOptions } from '../../lib/testing/drill/sink-bench.ts';
import { type Keeper, openKeeper } from '../../local/stack/kept-process.ts';
import { type PostgreSqlService, startPostgreSql } from '../../local/stack/postgresql.ts';
import { sinkContract } from '../contracts/sink.ts';
import type { JobRun } from '../support/job-run.ts';
import { waitFor } from '../support/wait-for.ts';
import { newWordCount } from '../support/word-count-run.ts';
import { countWords, someLines } from '../support/word-counts.ts';

/** As docs/sinks.md has them; a unit test sees to the code. */
const [TABLES = ''] = [
  ...readFileSync('docs/sinks.md', 'utf8').matchAll(/^```sql\n(?<code>CREATE TABLE onceflow_ledger[\s\S]*?)^```/gm),
].map(({ groups }) => groups?.['code'] ?? '');

let keeper: Keeper;
let server: PostgreSqlService;
let sinks: typeof import('../support/postgresql-sinks.ts');

beforeAll(async () => {
  keeper = await openKeeper();
  server = await startPostgreSql(keeper);
  await server.psql(TABLES);
  process.env['WAREHOUSE_URL'] = server.url;
  sinks = await import('../support/postgresql-sinks.ts');
});
afterAll(async () => {
  await server?.close();
  await keeper?.close();
});

function benchOf(sink: () => WriteAheadSink<never>, query: string): () => Promise<BenchOptions> {
  return async () => ({
    spec: sink() as SinkSpec,
    row: (n) => ({ id: `row ${n}`, customer: `customer ${n}`, cents: n }),
    shown: (n) => `row ${n} of ${n}`,
    read: () => server.psql(query),
    kafka: {} as KafkaRequests,
    targets: {} as SinkTargets,
    clock,
    random,
    repeats: false,
  });
}

describe('PostgreSQL with a ledger has each row once, and each sum of them', () => {
  sinkContract(
    'delivered',
    benchOf(
      () => sinks.keepOrders as WriteAheadSink<never>,
      "SELECT id || ' of ' || revenue.cents FROM orders JOIN revenue USING (customer)",
    ),
  );
});

describe('PostgreSQL without a ledger has the row of each key', () => {
  sinkContract(
    'delivered',
    benchOf(() => sinks.keepLast as WriteAheadSink<never>, "SELECT id || ' of ' || substr(customer, 10) FROM last_order"),
  );
});

interface At {
  readonly incarnation?: string;
  readonly epoch: number;
  readonly batch?: number;
  readonly signal?: AbortSignal;
}

/** As the engine calls it. */
async function deliver<T>(sink: WriteAheadSink<T>, rows: readonly T[], at: At): Promise<void> {
  const { incarnation = 'i', epoch, batch = 0, signal = AbortSignal.timeout(30_000) } = at;
  await sink.deliver(rows, {
    job: 'j',
    incarnation,
    sink: 's',
    subtask: 0,
    epoch,
    batch,
    id: `j/${incarnation}/s/0/${epoch}/${batch}`,
    signal,
  });
}

it('an older batch that comes late puts no older row back, and that of a job made anew takes the place of any', async () => {
  const last = async () => server.psql("SELECT id FROM last_order WHERE customer = 'late'");
  const give = (id: string, at: At) =>
    deliver(
      sinks.keepLast,
      [
        { id: 'before', customer: 'late', cents: 1 },
        { id, customer: 'late', cents: 1 },
      ],
      at,
    );
  await give('4/0', { epoch: 4 });
  await give('4/1', { epoch: 4, batch: 1 });
  await give('5/0', { epoch: 5 });
  expect(await last()).toEqual(['5/0']);
  await give('late', { epoch: 4, batch: 1 });
  expect(await last()).toEqual(['5/0']);
  await give('anew', { incarnation: 'second', epoch: 1 });
  expect(await last()).toEqual(['anew']);
});

it('a try whose time is over leaves nothing, and the next one writes all of it once', async () => {
  const rows = [{ id: 'slow', customer: 'slow', cents: 7 }];
  const locker = new pg.Client(server.url);
  await locker.connect();
  onTestFinished(() => locker.end());
  await locker.query('BEGIN; LOCK TABLE revenue');
  await expect(deliver(sinks.keepOrders, rows, { epoch: 1, signal: AbortSignal.timeout(300) })).rejects.not.toMatchObject({
    name: 'DeliveryRefusedError',
  });
  await locker.query('COMMIT');
  const of = (table: string) => server.psql(`SELECT cents FROM ${table} WHERE customer = 'slow'`);
  await deliver(sinks.keepOrders, rows, { epoch: 1 });
  await deliver(sinks.keepOrders, rows, { epoch: 1 });
  expect([await of('orders'), await of('revenue')]).toEqual([['7'], ['7']]);
});

it.each([
  ['a value that a column does not hold', 'cents bigint', 1e19, /^PostgreSQL refuses: .*out of range.*\(22003\)$/],
  ['a column that the table has not', '', 1, /^PostgreSQL refuses: .*"orders".*|INSERT has more expressions.*\(42601\)$/],
  ['a row that a constraint forbids', 'cents bigint CHECK (cents > 5)', 1, /^PostgreSQL refuses: .*"orders".*\(23514\)$/],
])('%s is refused with its place, and nothing of the batch is there', async (_what, cents, value, message) => {
  await server.psql(`ALTER TABLE orders RENAME TO kept; CREATE TABLE orders (id text, customer text${cents && `, ${cents}`})`);
  onTestFinished(async () => void (await server.psql('DROP TABLE orders; ALTER TABLE kept RENAME TO orders')));
  const rows = [
    { id: 'good', customer: 'refused', cents: 10 },
    { id: 'bad', customer: 'refused', cents: value },
  ];
  await expect(deliver(sinks.keepOrders, rows, { epoch: 9 })).rejects.toMatchObject({
    name: 'DeliveryRefusedError',
    message: expect.stringMatching(message),
  });
  expect(await server.psql("SELECT id FROM orders UNION ALL SELECT customer FROM revenue WHERE customer = 'refused'")).toEqual([]);
});

it('a job that writes to Kafka and to PostgreSQL has every row in both once, through kills of the job, of its functions and of PostgreSQL', async () => {
  await server.psql('TRUNCATE onceflow_ledger, orders, revenue, last_order');
  const count = await newWordCount({
    module: 'test/support/postgresql-job.ts',
    env: { WAREHOUSE_URL: server.url, ONCEFLOW_STAGE_PARALLELISM: 'count-words=2,keep-orders=2,keep-last=2' },
  });
  let seed = 0;
  const rows = async () => Number((await server.psql('SELECT count(*) FROM orders'))[0]);
  const grown = async (run: JobRun) => {
    const before = await rows();
    await count.write(someLines(20, ++seed));
    await waitFor(`more rows in PostgreSQL\n${run.told()}`, async () => (await rows()) > before);
  };
  let run = count.job.start({}, 'each');
  for (let round = 0; round < 2; round++) {
    await grown(run);
    await server.crash();
    await grown(run);
    for (const sink of ['sink-keep-orders', 'sink-keep-last']) process.kill(await run.pid(sink), 'SIGKILL');
    await grown(run);
    await Promise.all([run.killAll(), server.crash()]);
    run = count.job.start({}, 'each');
  }
  await grown(run);
  await count.expectExact(run);
  const words = [...countWords(await count.inputLines())];
  const orders = words.flatMap(([word, total]) => Array.from({ length: total }, (_, n) => `${word}:::${n + 1}|${word}|${n + 1}`));
  expect((await server.psql('SELECT * FROM orders')).toSorted()).toEqual(orders.toSorted());
  const revenue = words.map(([word, total]) => `${word}|${(total * (total + 1)) / 2}`);
  expect((await server.psql('SELECT * FROM revenue')).toSorted()).toEqual(revenue.toSorted());
  const last = words.map(([word, total]) => `${word}|${word}:::${total}`);
  expect((await server.psql('SELECT customer, id FROM last_order')).toSorted()).toEqual(last.toSorted());
});
