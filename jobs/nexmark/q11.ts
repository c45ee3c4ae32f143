import { defineJob, int64, json, kafkaSink, sessionWindows } from '../../lib/api/index.ts';
import { isBid, timedEvents } from './events.ts';

/** How many bids each bidder made without a pause of more than ten seconds. */
export default defineJob('nexmark-q11', (job) => {
  job
    .source('read-events', timedEvents)
    .filter(isBid)
    .map(({ bidder }) => bidder)
    .keyBy((bidder) => bidder, int64)
    .window(sessionWindows({ gapMs: 10_000 }))
    .aggregate('count-bids', {
      accumulator: int64,
      initial: 0,
      add: (n) => n + 1,
      merge: (n, more) => n + more,
      result: (bid_count, { key: bidder, startMs: starttime, endMs: endtime }) => ({ bidder, bid_count, starttime, endtime }),
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q11', value: json() }));
});
