import { defineJob, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../../lib/api/index.ts';
import { avro } from '../../../../lib/formats/avro.ts';
import { schemaRegistry } from '../../../../lib/formats/registry.ts';

const registry = schemaRegistry({ url: process.env['SCHEMA_REGISTRY_URL'] ?? 'mock://orders' });

interface Order {
  readonly customer: string;
  readonly cents: bigint;
}
const orderSchema = {
  type: 'record',
  name: 'shop.Order',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'cents', type: 'long' },
  ],
};

interface Total {
  readonly customer: string;
  readonly cents: bigint;
  readonly orders: number;
}
const totalSchema = {
  type: 'record',
  name: 'shop.Total',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'cents', type: 'long' },
    { name: 'orders', type: 'int' },
  ],
};

export const orders = kafkaSource({ topic: 'orders', value: avro<Order>(orderSchema, { registry, longs: 'bigint' }) });
export const totals = kafkaSink({
  topic: 'totals',
  key: utf8,
  value: avro<Total>(totalSchema, { registry, longs: 'bigint' }),
  toRecord: (total: Total) => ({ key: total.customer, value: total }),
});

export default defineJob('order-totals', (job) => {
  job
    .source('read-orders', orders)
    // Between its stages and in its state a job needs no registry: who writes is who reads.
    .keyBy(({ customer }) => customer, utf8, { value: avro<Order>(orderSchema, { longs: 'bigint' }) })
    .process('sum', {
      state: { total: valueState(avro<Total>(totalSchema, { longs: 'bigint' })) },
      onRecord({ customer, cents }, { total }, out: Output<Total>) {
        const before = total.get() ?? { customer, cents: 0n, orders: 0 };
        const after = { customer, cents: before.cents + cents, orders: before.orders + 1 };
        total.set(after);
        out.emit(after);
      },
    })
    .sink('write-totals', totals);
});
