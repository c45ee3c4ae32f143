/** Payments above the limit of their country. Limits are broadcast: whoever changes one says so in a topic of its own. */
import { connect, defineJob, float64, json, kafkaSink, kafkaSource, mapState, type Output, utf8 } from '../lib/api/index.ts';

interface Payment {
  readonly card: string;
  readonly country: string;
  readonly amount: number;
}
interface Limit {
  readonly country: string;
  /** None: the country has no limit any more. */
  readonly most?: number;
}

export default defineJob('fraud', (job) => {
  const payments = job.source('read-payments', kafkaSource({ topic: 'card-payments', value: json<Payment>() }));
  // All that were ever said: a job that begins today needs those of last year.
  const limits = job.source('read-limits', kafkaSource({ topic: 'card-limits', value: json<Limit>(), startingOffsets: 'earliest' }));

  connect({ payments: payments.keyBy(({ card }) => card, utf8), limits: limits.broadcast() })
    .process('check', {
      broadcastState: { limits: mapState(utf8, float64) },
      on: {
        limits({ country, most }, { limits: known }) {
          if (most === undefined) known.delete(country);
          else known.set(country, most);
        },
        payments({ country, amount }, { limits: known }, out: Output<string>, { key }) {
          const most = known.get(country);
          if (most !== undefined && amount > most) out.emit(`card ${key} paid ${amount} in ${country}, where the limit is ${most}`);
        },
      },
    })
    .sink('write-alerts', kafkaSink({ topic: 'card-alerts', value: utf8 }));
});
