import { defineJob, int32, int64, json, kafkaSink, mapState, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { type BidCounts, countBid, NO_BIDS } from './bid-counts.ts';
import { dayOf, events, isBid } from './events.ts';

interface Result extends BidCounts {
  readonly day: string;
}

/** Of each day the bids, the different bidders and the different auctions, by price. */
export default defineJob('nexmark-q15', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .keyBy(({ dateTime }) => dayOf(dateTime), utf8)
    .process('count-bids', {
      state: { counts: valueState(json<BidCounts>(), NO_BIDS), bidders: mapState(int64, int32), auctions: mapState(int64, int32) },
      onRecord(bid, state, out: Output<Result>, { key: day }) {
        const counts = state.counts.get();
        countBid(counts, bid, state.bidders, state.auctions);
        out.emit({ day, ...counts });
      },
    })
    .sink(
      'write-results',
      kafkaSink({ topic: 'nexmark-q15', key: utf8, value: json(), toRecord: (result) => ({ key: result.day, value: result }) }),
    );
});
