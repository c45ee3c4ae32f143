/** Revenue of each shop per minute. An order that comes up to ten minutes late makes its minute's result come again; a later one goes aside. */
import { defineJob, int64, json, kafkaSink, kafkaSource, tumblingWindows, utf8 } from '../lib/api/index.ts';

interface Order {
  readonly shop: string;
  readonly cents: number;
  readonly at: string;
}

const orders = kafkaSource({
  topic: 'shop-orders',
  value: json<Order>(),
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 5_000 },
});

export default defineJob('revenue', (job) => {
  const revenue = job
    .source('read-orders', orders)
    .keyBy(({ shop }) => shop, utf8)
    .window(tumblingWindows({ sizeMs: 60_000 }), { allowedLatenessMs: 600_000 })
    .aggregate('sum', {
      accumulator: int64,
      initial: 0,
      add: (sum, { cents }) => sum + cents,
      result: (cents, { key, startMs }) => `${key} ${new Date(startMs).toISOString().slice(11, 16)}: ${cents} cents`,
    });
  revenue.sink('write-revenue', kafkaSink({ topic: 'shop-revenue', value: utf8 }));
  revenue.late.sink('write-late', kafkaSink({ topic: 'shop-orders-late', value: json<Order>() }));
});
