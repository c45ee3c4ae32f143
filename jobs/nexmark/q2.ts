import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

/** The bids on some auctions. */
export default defineJob('nexmark-q2', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .filter(({ auction }) => auction % 123 === 0)
    .map(({ auction, price }) => ({ auction, price }))
    .sink('write-results', kafkaSink({ topic: 'nexmark-q2', value: json() }));
});
