import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

/** Every bid in euros. */
export default defineJob('nexmark-q1', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: Math.floor((price * 908) / 1000),
      dateTime,
      extra,
    }))
    .sink('write-results', kafkaSink({ topic: 'nexmark-q1', value: json() }));
});
