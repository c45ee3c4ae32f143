import { defineJob, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { type Order, shown } from '../support/orders.ts';
import { waitAMillisecond } from '../support/wait-a-millisecond.ts';

interface Sum {
  readonly orders: number;
  readonly cents: number;
}

/** Of each customer after each order how many there were and what they come to. */
export default defineJob('orders', (job) => {
  job
    .source('read-orders', kafkaSource({ topic: 'orders', value: json<Order>(), startingOffsets: 'earliest' }))
    .keyBy(({ customer }) => customer, utf8)
    .process('add-up', {
      state: { sum: valueState(json<Sum>(), { orders: 0, cents: 0 }) },
      onRecord({ customer, cents }, { sum }, out: Output<string>) {
        waitAMillisecond();
        out.emit(shown({ customer, ...sum.update((before) => ({ orders: before.orders + 1, cents: before.cents + cents })) }));
      },
    })
    .sink('write-totals', kafkaSink({ topic: 'totals', value: utf8 }));
});
