import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, utf8, valueState, versioned } from '../../lib/api/index.ts';
import { type Order, shown } from '../support/orders.ts';
import { waitAMillisecond } from '../support/wait-a-millisecond.ts';
import { sizeOf } from './sizes.ts';

interface Sum {
  readonly orders: number;
  readonly dollars: string;
}

const inDollars = (cents: number) => (cents / 100).toFixed(2);
const inCents = (dollars: string) => Math.round(Number(dollars) * 100);

/** What the build before has kept in cents. */
const sums = versioned({
  version: 2,
  serde: json<Sum>(),
  older: {
    1: { serde: json<{ orders: number; cents: number }>(), migrate: ({ orders, cents }) => ({ orders, dollars: inDollars(cents) }) },
  },
});

/** The job as it is changed while it runs: its operator has another name, sums are kept in dollars, and orders are counted by their size as well. */
export default defineJob('orders', (job) => {
  const orders = job.source('read-orders', kafkaSource({ topic: 'orders', value: json<Order>(), startingOffsets: 'earliest' }));
  orders
    .keyBy(({ customer }) => customer, utf8)
    .process(
      { uid: 'sum-up', formerly: 'add-up' },
      {
        state: { sum: valueState(sums, { orders: 0, dollars: '0.00' }) },
        onRecord({ customer, cents }, { sum }, out: Output<string>) {
          waitAMillisecond();
          const { orders: count, dollars } = sum.update((before) => ({
            orders: before.orders + 1,
            dollars: inDollars(inCents(before.dollars) + cents),
          }));
          out.emit(shown({ customer, orders: count, cents: inCents(dollars) }));
        },
      },
    )
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
