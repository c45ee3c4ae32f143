import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

/** Every bid, passed through: the cost of reading and writing. */
export default defineJob('nexmark-q0', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra }))
    .sink('write-results', kafkaSink({ topic: 'nexmark-q0', value: json() }));
});
