/** Orders in euros, at the rate that held when the order was made: not at the one that is newest when it is read. */
import { defineJob, json, kafkaSink, kafkaSource, utf8 } from '../lib/api/index.ts';

interface Order {
  readonly id: string;
  readonly currency: string;
  readonly total: number;
  readonly at: string;
}
interface Rate {
  readonly currency: string;
  /** Euros for one of it. */
  readonly rate: number;
  readonly at: string;
}

const orderSource = kafkaSource({
  topic: 'foreign-orders',
  value: json<Order>(),
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 1_000 },
});
const rateSource = kafkaSource({
  topic: 'exchange-rates',
  value: json<Rate>(),
  // The rate of the first order was said before the job began.
  startingOffsets: 'earliest',
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 1_000 },
});

export default defineJob('exchange-rate', (job) => {
  const orders = job.source('read-orders', orderSource);
  const rates = job.source('read-rates', rateSource);

  orders
    .keyBy(({ currency }) => currency, utf8)
    .asOfJoin(
      'convert',
      rates.keyBy(({ currency }) => currency, utf8),
      {
        join: ({ id, total, currency }, { rate }) => `order ${id}: ${total} ${currency} are ${(total * rate).toFixed(2)} EUR`,
      },
    )
    .sink('write-orders', kafkaSink({ topic: 'orders-in-euros', value: utf8 }));
});
