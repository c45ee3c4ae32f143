import { defineJob, fileSink, jsonLines } from '../../lib/api/index.ts';
import { type Bid, dayOf, isBid, minuteOf, timedEvents } from './events.ts';

/** Every bid, logged to files by the minute in which it was made. NEXMARK_FILES says where: a bucket, or a folder of this machine. */
export default defineJob('nexmark-q10', (job) => {
  job
    .source('read-events', timedEvents)
    .filter(isBid)
    .map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra }))
    .sink(
      'write-results',
      fileSink<Omit<Bid, 'type' | 'channel' | 'url'>>({
        location: process.env['NEXMARK_FILES'] ?? 'file:///tmp/nexmark-q10',
        format: jsonLines(),
        path: (_bid, { timestamp }) => `dt=${dayOf(timestamp)}/hm=${minuteOf(timestamp).replace(':', '')}`,
      }),
    );
});
