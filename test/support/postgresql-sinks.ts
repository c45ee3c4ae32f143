import pg from 'pg';
import { type DeliveryPlace, DeliveryRefusedError, writeAheadSink } from '../../lib/api/index.ts';

interface Order {
  readonly id: string;
  readonly customer: string;
  readonly cents: number;
}

// Connects at the first query. Whoever slept finds its connection dead: the pool makes another one.
const pool = new pg.Pool({ connectionString: process.env['WAREHOUSE_URL'], connectionTimeoutMillis: 5_000 });
pool.on('error', () => {});

/** Work on one connection, which is closed when the time of the try is over: the server ends what was under way. */
async function connected(signal: AbortSignal, work: (db: pg.PoolClient) => Promise<void>): Promise<void> {
  signal.throwIfAborted();
  const db = await pool.connect();
  let isOpen = true;
  const close = (broken: boolean) => {
    if (isOpen) db.release(broken);
    isOpen = false;
  };
  const over = () => close(true);
  db.on('error', over);
  signal.addEventListener('abort', over);
  try {
    await work(db);
    close(false);
  } catch (error) {
    close(true);
    throw refusalOf(error) ?? error;
  } finally {
    signal.removeEventListener('abort', over);
    db.off('error', over);
  }
}

/** Values, constraints, logins and rights, tables and columns: what is refused today is refused tomorrow. All else passes. */
function refusalOf(error: unknown): DeliveryRefusedError | undefined {
  if (!(error instanceof pg.DatabaseError) || !/^(22|23|28|3D|3F|42)/.test(error.code ?? '')) return undefined;
  return new DeliveryRefusedError(`PostgreSQL refuses: ${error.message} (${error.code})`);
}

/** `write` and the ledger's row are one transaction: either the target has both, or neither. */
async function once(place: DeliveryPlace, write: (db: pg.PoolClient) => Promise<unknown>): Promise<void> {
  const { job, incarnation, sink, subtask, epoch, batch, signal } = place;
  await connected(signal, async (db) => {
    await db.query('BEGIN');
    const { rowCount } = await db.query(
      `INSERT INTO onceflow_ledger AS known VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (job, incarnation, sink, subtask) DO UPDATE SET epoch = excluded.epoch, batch = excluded.batch
       WHERE (known.epoch, known.batch) < (excluded.epoch, excluded.batch)`,
      [job, incarnation, sink, subtask, epoch, batch],
    );
    if (rowCount === 1) await write(db);
    await db.query('COMMIT');
  });
}

const ROWS = 'jsonb_to_recordset($1) AS row (id text, customer text, cents bigint)';

// orders.sink('keep-orders', keepOrders): rows without a key, and sums that a repeat would make larger.
export const keepOrders = writeAheadSink<Order>({
  deliver: (rows, place) =>
    once(place, async (db) => {
      await db.query(`INSERT INTO orders SELECT * FROM ${ROWS}`, [JSON.stringify(rows)]);
      await db.query(
        `INSERT INTO revenue SELECT customer, sum(cents) FROM ${ROWS} GROUP BY customer ORDER BY customer
         ON CONFLICT (customer) DO UPDATE SET cents = revenue.cents + excluded.cents`,
        [JSON.stringify(rows)],
      );
    }),
});

// orders.sink('keep-last', keepLast): without a ledger. Each row says where it is from, so nothing older takes its place.
export const keepLast = writeAheadSink<Order>({
  deliver: (rows, { incarnation, epoch, batch, signal }) =>
    connected(signal, async (db) => {
      const last = new Map(rows.map((row) => [row.customer, row]));
      await db.query(
        `INSERT INTO last_order SELECT customer, id, $2, $3, $4 FROM ${ROWS}
         ON CONFLICT (customer) DO UPDATE SET id = excluded.id, incarnation = $2, epoch = $3, batch = $4
         WHERE last_order.incarnation <> $2 OR (last_order.epoch, last_order.batch) <= ($3, $4)`,
        [JSON.stringify([...last.values()]), incarnation, epoch, batch],
      );
    }),
});
