import { defineJob, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../../lib/api/index.ts';

interface Order {
  readonly id: string;
  readonly isPaid: boolean;
}

export const orders = kafkaSource({ topic: 'orders', value: json<Order>(), eventTime: { maxOutOfOrdernessMs: 5_000 } });
export const overdue = kafkaSink({ topic: 'overdue', value: utf8 });

export default defineJob('overdue-orders', (job) => {
  job
    .source('read-orders', orders)
    .keyBy(({ id }) => id, utf8)
    .process('await-payment', {
      state: { isPaid: valueState(json<boolean>(), false) },
      onRecord(order, { isPaid }, _out, { timestamp, timers }) {
        if (order.isPaid) isPaid.set(true);
        else timers.setEventTime(timestamp + 600_000);
      },
      onTimer({ timeMs }, { isPaid }, out: Output<string>, { key }) {
        if (!isPaid.get()) out.emit(`${key} is overdue since ${timeMs}`);
        isPaid.clear();
      },
    })
    .sink('write-overdue', overdue);
});
