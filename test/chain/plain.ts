/**
 * The plain way, as a process of its own: a consumer that adds up in memory, writes each result as it comes, and now and then keeps its
 * sums and offsets in a file, in one piece. Killed, it goes on from there, as any stream processor does from its last checkpoint.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import type { Order, Total } from '../support/orders.ts';
import { askClickHouse } from './ask-clickhouse.ts';

/** What it tells its parent: so many results have been written since it kept its state. */
export interface Ahead {
  readonly ahead: number;
}

interface Kept {
  /** The next offset of each partition. */
  readonly offsets: Record<string, number>;
  readonly totals: Record<string, Total>;
}

const { CHAIN_BROKERS: brokers = '', CHAIN_TOPIC: topic = '', CHAIN_CLICKHOUSE: clickHouse = '', CHAIN_STATE: file = '' } = process.env;
const KEEP_EVERY_MS = 3_000;
const ROWS_AT_ONCE = 10;

const state: Kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : { offsets: {}, totals: {} };
let ahead = 0;
let keptAtMs = performance.now();

process.on('disconnect', () => process.exit());
const kafka = new Kafka({ clientId: 'chain-plain', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
// A group of its own at each start: where it goes on is in its file.
const consumer = kafka.consumer({ groupId: `plain-${process.pid}`, maxWaitTimeInMs: 20, maxBytesPerPartition: 2_000 });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  async eachBatch({ batch: { partition, messages }, heartbeat }) {
    const next = messages.filter(({ offset }) => Number(offset) >= (state.offsets[partition] ?? 0));
    for (let at = 0; at < next.length; at += ROWS_AT_ONCE) {
      const some = next.slice(at, at + ROWS_AT_ONCE);
      await write(some.map(({ value }) => added(JSON.parse(String(value)) as Order)));
      state.offsets[partition] = Number(some.at(-1)?.offset) + 1;
      ahead += some.length;
      if (performance.now() - keptAtMs > KEEP_EVERY_MS) keep();
      process.send?.({ ahead } satisfies Ahead);
      await heartbeat();
    }
  },
});
for (const [partition, offset] of Object.entries(state.offsets))
  consumer.seek({ topic, partition: Number(partition), offset: String(offset) });

function added({ customer, cents }: Order): Total {
  const before = state.totals[customer] ?? { customer, orders: 0, cents: 0 };
  const total = { customer, orders: before.orders + 1, cents: before.cents + cents };
  state.totals[customer] = total;
  return total;
}

async function write(rows: readonly Total[]): Promise<void> {
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');
  for (const table of ['plain_totals', 'plain_results'])
    await askClickHouse(clickHouse, `INSERT INTO ${table} FORMAT JSONEachRow ${lines}`);
}

function keep(): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
  keptAtMs = performance.now();
  ahead = 0;
}
