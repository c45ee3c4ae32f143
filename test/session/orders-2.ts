import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { type Order, shown } from '../support/orders.ts';
import { waitAMillisecond } from '../support/wait-a-millisecond.ts';
import { sizeOf } from './sizes.ts';

interface Sum {
  readonly orders: number;
  readonly cents: number;
}

/** The job as it is changed while it runs: it counts the orders by their size as well. */
export default defineJob('orders', (job) => {
  const orders = job.source('read-orders', kafkaSource({ topic: 'orders', value: json<Order>(), startingOffsets: 'earliest' }));
  orders
    .keyBy(({ customer }) => customer, utf8)
    .process('add-up', {
      state: { sum: valueState(json<Sum>(), { orders: 0, cents: 0 }) },
      onRecord({ customer, cents }, { sum }, out: Output<string>) {
        waitAMillisecond();
        out.emit(shown({ customer, ...sum.update((before) => ({ orders: before.orders + 1, cents: before.cents + cents })) }));
      },
    })
    .sink('write-totals', kafkaSink({ topic: 'totals', value: utf8 }));
  orders
    .keyBy(sizeOf, utf8)
    .process('count-sizes', {
      state: { n: valueState(int64, 0) },
      onRecord(_order, { n }, out: Output<string>, { key }) {
        out.emit(`${key}: ${n.update((before) => before + 1)}`);
      },
    })
    .sink('write-sizes', kafkaSink({ topic: 'sizes', value: utf8 }));
});
