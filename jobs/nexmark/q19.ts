import { defineJob, int64, json, kafkaSink } from '../../lib/api/index.ts';
import { type Bid, events, isBid } from './events.ts';

type AuctionRank = readonly [auction: number, rank: number];
type Ranked = Omit<Bid, 'type'>;

/** The ten highest bids on each auction; of equal prices the first bid ranks before the others. */
export default defineJob('nexmark-q19', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .map(({ type: _, ...bid }): Ranked => bid)
    .keyBy(({ auction }) => auction, int64)
    .topN('rank-bids', { n: 10, compare: highestFirst })
    .sink(
      'write-results',
      kafkaSink({
        topic: 'nexmark-q19',
        key: json<AuctionRank>(),
        value: json(),
        toRecord: ({ key: auction, rank, value }) => ({ key: [auction, rank], value: { ...value, rank_number: rank } }),
      }),
    );
});

function highestFirst(one: Ranked, other: Ranked): number {
  const order = other.price - one.price || one.dateTime - other.dateTime || one.bidder - other.bidder;
  return order !== 0 || one.extra === other.extra ? order : one.extra < other.extra ? -1 : 1;
}
