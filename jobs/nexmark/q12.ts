import { defineJob, int64, json, kafkaSink, tumblingWindows } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

/** How many bids of each bidder were read in every ten seconds by the clock. */
export default defineJob('nexmark-q12', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .map(({ bidder }) => bidder)
    .keyBy((bidder) => bidder, int64)
    .window(tumblingWindows({ sizeMs: 10_000 }), { time: 'processing-time' })
    .aggregate('count-bids', {
      accumulator: int64,
      initial: 0,
      add: (n) => n + 1,
      result: (bid_count, { key: bidder, startMs: starttime, endMs: endtime }) => ({ bidder, bid_count, starttime, endtime }),
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q12', value: json() }));
});
