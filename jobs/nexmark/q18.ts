import { defineJob, int64, json, kafkaSink, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { type Bid, events, isBid } from './events.ts';

type BidderAuction = readonly [bidder: number, auction: number];
type Result = Omit<Bid, 'type'>;

/** Each bidder's last bid on each auction: the greatest time, and of equal ones the greatest text. What comes late changes nothing. */
export default defineJob('nexmark-q18', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .keyBy(({ bidder, auction }) => [bidder, auction], json<BidderAuction>())
    .process('keep-last', {
      state: { lastTime: valueState(int64, Number.MIN_SAFE_INTEGER), lastExtra: valueState(utf8, '') },
      onRecord({ type: _, ...bid }, { lastTime, lastExtra }, out: Output<Result>) {
        const { dateTime, extra } = bid;
        const last = lastTime.get();
        if (dateTime < last || (dateTime === last && extra <= lastExtra.get())) return;
        lastTime.set(dateTime);
        lastExtra.set(extra);
        out.emit(bid);
      },
    })
    .sink(
      'write-results',
      kafkaSink({
        topic: 'nexmark-q18',
        key: json<BidderAuction>(),
        value: json(),
        toRecord: (bid) => ({ key: [bid.bidder, bid.auction], value: bid }),
      }),
    );
});
