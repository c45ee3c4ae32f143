import { defineJob, int64, json, kafkaSink, tumblingWindows } from '../../lib/api/index.ts';
import { isBid, timedEvents } from './events.ts';

const SIZE_MS = 10_000;

/** Of every ten seconds the bids with the highest price. */
export default defineJob('nexmark-q7', (job) => {
  job
    .source('read-events', timedEvents)
    .filter(isBid)
    .map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra }))
    // All bids have to meet; with their window for a key those of different windows need not.
    .keyBy(({ dateTime }) => Math.floor(dateTime / SIZE_MS), int64)
    .window(tumblingWindows({ sizeMs: SIZE_MS }))
    .topN('keep-highest', { n: 1, by: ({ price }) => price, withTies: true })
    .flatMap(({ value: highest }) => highest)
    .sink('write-results', kafkaSink({ topic: 'nexmark-q7', value: json() }));
});
