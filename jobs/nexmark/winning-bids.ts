import { type DataStream, int64, type JobBuilder, json, listState, type Output, valueState } from '../../lib/api/index.ts';
import { type Auction, type Bid, isAuction, isBid, timedEvents } from './events.ts';

export interface Won {
  readonly auction: Auction;
  readonly bid: Bid;
}

/** Of each auction, when it expires, the highest bid that was made from its beginning until then; nothing when there was none. */
export function winningBids(job: JobBuilder): DataStream<Won> {
  return job
    .source('read-events', timedEvents)
    .filter((event) => isBid(event) || isAuction(event))
    .keyBy((event) => (isBid(event) ? event.auction : event.id), int64)
    .process('wait-for-end', {
      // So a bid that has no auction is too early for it, or too late, but for one of the very millisecond in which the auction begins.
      inTimeOrder: true,
      state: { open: valueState(json<Auction>()), best: valueState(json<Bid>()), early: listState(json<Bid>()) },
      onRecord(event, { open, best, early }, _out, { timers }) {
        if (isAuction(event)) {
          open.set(event);
          timers.setEventTime(event.expires);
          for (const bid of early) if (wins(bid, best.get())) best.set(bid);
          return;
        }
        if (open.get() === undefined) {
          early.add(event);
          timers.setEventTime(event.dateTime);
        } else if (wins(event, best.get())) best.set(event);
      },
      onTimer({ timeMs }, { open, best, early }, out: Output<Won>) {
        early.clear();
        const auction = open.get();
        if (auction === undefined || timeMs < auction.expires) return;
        const bid = best.get();
        if (bid !== undefined) out.emit({ auction, bid });
        open.clear();
        best.clear();
      },
    });
}

/** The higher price does; among equals the first bid. */
function wins(bid: Bid, best: Bid | undefined): boolean {
  if (best === undefined || bid.price !== best.price) return best === undefined || bid.price > best.price;
  if (bid.dateTime !== best.dateTime) return bid.dateTime < best.dateTime;
  return bid.bidder === best.bidder ? bid.extra < best.extra : bid.bidder < best.bidder;
}
