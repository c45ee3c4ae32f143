import { defineJob, fileSink, int64, json, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { parquet } from '../../lib/formats/parquet.ts';
import { clickHouseSink } from '../../lib/targets/clickhouse.ts';
import type { Order, Total } from '../support/orders.ts';

const { CHAIN_CLICKHOUSE: url = 'http://127.0.0.1:8123', CHAIN_BUCKET: bucket = 'chain' } = process.env;

/** Of each customer after each order how many there were and what they come to: to two tables of ClickHouse, and to Parquet files in S3. */
export default defineJob('chain', (job) => {
  const totals = job
    .source('read-orders', kafkaSource({ topic: 'orders', value: json<Order>(), startingOffsets: 'earliest' }))
    .keyBy(({ customer }) => customer, utf8)
    .process('add-up', {
      state: { orders: valueState(int64, 0), cents: valueState(int64, 0) },
      onRecord(order, { orders, cents }, out: Output<Total>) {
        const { customer } = order;
        out.emit({ customer, orders: orders.update((n) => n + 1), cents: cents.update((sum) => sum + order.cents) });
      },
    });
  totals.sink('write-results', clickHouseSink<Total>({ url, table: 'results' }));
  totals.sink('write-totals', clickHouseSink<Total>({ url, table: 'totals' }));
  totals.sink(
    'write-files',
    fileSink<Total>({
      location: `s3://${bucket}/results`,
      format: parquet<Total>({
        columns: [
          { name: 'customer', type: 'string' },
          { name: 'orders', type: 'int64' },
          { name: 'cents', type: 'int64' },
        ],
      }),
      path: (_total, { timestamp }) => `hour=${new Date(timestamp).toISOString().slice(0, 13)}`,
      manifests: true,
    }),
  );
});
