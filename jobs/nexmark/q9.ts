import { defineJob, int64, json, kafkaSink } from '../../lib/api/index.ts';
import { winningBids } from './winning-bids.ts';

/** The winning bid of each auction, with the auction. */
export default defineJob('nexmark-q9', (job) => {
  winningBids(job)
    .map(({ auction: { type: _, ...auction }, bid }) => ({
      ...auction,
      auction: bid.auction,
      bidder: bid.bidder,
      price: bid.price,
      bid_dateTime: bid.dateTime,
      bid_extra: bid.extra,
    }))
    .sink(
      'write-results',
      kafkaSink({ topic: 'nexmark-q9', key: int64, value: json(), toRecord: (result) => ({ key: result.id, value: result }) }),
    );
});
