import { defineJob, int32, int64, json, kafkaSink, mapState, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { type BidCounts, countBid, NO_BIDS } from './bid-counts.ts';
import { dayOf, events, isBid, minuteOf } from './events.ts';

type ChannelDay = readonly [channel: string, day: string];

interface Result extends BidCounts {
  readonly channel: string;
  readonly day: string;
  readonly minute: string;
}

/** Of each channel and day the bids, the different bidders and the different auctions, by price, and the minute of the latest bid. */
export default defineJob('nexmark-q16', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .keyBy(({ channel, dateTime }) => [channel, dayOf(dateTime)], json<ChannelDay>())
    .process('count-bids', {
      state: {
        counts: valueState(json<BidCounts>(), NO_BIDS),
        minute: valueState(utf8, ''),
        bidders: mapState(int64, int32),
        auctions: mapState(int64, int32),
      },
      onRecord(bid, state, out: Output<Result>, { key: [channel, day] }) {
        const counts = state.counts.get();
        countBid(counts, bid, state.bidders, state.auctions);
        const ofBid = minuteOf(bid.dateTime);
        const minute = state.minute.update((latest) => (ofBid > latest ? ofBid : latest));
        out.emit({ channel, day, minute, ...counts });
      },
    })
    .sink(
      'write-results',
      kafkaSink({
        topic: 'nexmark-q16',
        key: json<ChannelDay>(),
        value: json(),
        toRecord: (result) => ({ key: [result.channel, result.day], value: result }),
      }),
    );
});
