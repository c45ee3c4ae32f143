import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { type Bid, events, isBid } from './events.ts';

type BidderAuction = readonly [bidder: number, auction: number];
type LastBid = Omit<Bid, 'type'>;

/** Each bidder's last bid on each auction: the greatest time, and of equal ones the greatest text. What comes late changes nothing. */
export default defineJob('nexmark-q18', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .map(({ type: _, ...bid }): LastBid => bid)
    .keyBy(({ bidder, auction }) => [bidder, auction], json<BidderAuction>())
    .topN('keep-last', { n: 1, compare: lastFirst })
    .sink(
      'write-results',
      kafkaSink({ topic: 'nexmark-q18', key: json<BidderAuction>(), value: json(), toRecord: ({ key, value }) => ({ key, value }) }),
    );
});

function lastFirst(one: LastBid, other: LastBid): number {
  if (one.dateTime !== other.dateTime) return other.dateTime - one.dateTime;
  return one.extra === other.extra ? 0 : one.extra > other.extra ? -1 : 1;
}
