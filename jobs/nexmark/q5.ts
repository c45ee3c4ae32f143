import { defineJob, int64, json, kafkaSink, slidingWindows } from '../../lib/api/index.ts';
import { isBid, timedEvents } from './events.ts';

/** Every two seconds the auctions with the most bids in the last ten. */
export default defineJob('nexmark-q5', (job) => {
  job
    .source('read-events', timedEvents)
    .filter(isBid)
    .map(({ auction }) => auction)
    .keyBy((auction) => auction, int64)
    .window(slidingWindows({ sizeMs: 10_000, slideMs: 2_000 }))
    .aggregate('count-bids', {
      accumulator: int64,
      initial: 0,
      add: (num) => num + 1,
      merge: (num, more) => num + more,
      result: (num, { key: auction, startMs: starttime, endMs: endtime }) => ({ auction, num, starttime, endtime }),
    })
    .topN('keep-most', { n: 1, by: ({ num }) => num, withTies: true })
    .flatMap(({ value: most }) => most)
    .sink('write-results', kafkaSink({ topic: 'nexmark-q5', value: json() }));
});
