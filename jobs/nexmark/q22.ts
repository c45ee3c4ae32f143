import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

/** Every bid, with the first three directories of its url. */
export default defineJob('nexmark-q22', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .map(({ auction, bidder, price, channel, url }) => {
      const [, , , dir1 = '', dir2 = '', dir3 = ''] = url.split('/');
      return { auction, bidder, price, channel, dir1, dir2, dir3 };
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q22', value: json() }));
});
