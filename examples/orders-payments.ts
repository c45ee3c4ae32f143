/** Orders joined with what was paid for them within the hour; orders that were not paid come when the hour is over. */
import { defineJob, json, kafkaSink, kafkaSource, utf8 } from '../lib/api/index.ts';

interface Order {
  readonly id: string;
  readonly total: number;
  readonly at: string;
}
interface Payment {
  readonly order: string;
  readonly amount: number;
  readonly at: string;
}

const orderSource = kafkaSource({
  topic: 'orders',
  value: json<Order>(),
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 30_000 },
});
const paymentSource = kafkaSource({
  topic: 'payments',
  value: json<Payment>(),
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 30_000 },
});

export default defineJob('orders-payments', (job) => {
  const orders = job.source('read-orders', orderSource);
  const payments = job.source('read-payments', paymentSource);

  orders
    .keyBy(({ id }) => id, utf8)
    .intervalJoin(
      'pay',
      payments.keyBy(({ order }) => order, utf8),
      {
        lowerBoundMs: 0,
        upperBoundMs: 3_600_000,
        type: 'left',
        join: ({ id, total }, payment) => `order ${id} of ${total}: ${payment === undefined ? 'not paid' : `paid ${payment.amount}`}`,
      },
    )
    .sink('write-orders', kafkaSink({ topic: 'orders-paid', value: utf8 }));
});
