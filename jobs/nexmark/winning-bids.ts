import { connect, type DataStream, int64, type JobBuilder, json, type Output, valueState } from '../../lib/api/index.ts';
import { type Auction, type Bid, isAuction, isBid, timedEvents } from './events.ts';

export interface Won {
  readonly auction: Auction;
  readonly bid: Bid;
}

/** Of each auction, when it expires, the highest bid that was made from its beginning until then; nothing when there was none. */
export function winningBids(job: JobBuilder): DataStream<Won> {
  const events = job.source('read-events', timedEvents);
  return connect({
    auctions: events.filter(isAuction).keyBy(({ id }) => id, int64),
    bids: events.filter(isBid).keyBy(({ auction }) => auction, int64),
  }).process('wait-for-end', {
    // Of one millisecond auctions come before bids. So a bid that finds no auction is too early for it, or too late.
    inTimeOrder: true,
    state: { open: valueState(json<Auction>()), best: valueState(json<Bid>()) },
    on: {
      auctions(auction, { open }, _out, { timers }) {
        open.set(auction);
        timers.setEventTime(auction.expires);
      },
      bids(bid, { open, best }) {
        if (open.get() !== undefined && wins(bid, best.get())) best.set(bid);
      },
    },
    onTimer(_timer, { open, best }, out: Output<Won>) {
      const [auction, bid] = [open.get(), best.get()];
      if (auction !== undefined && bid !== undefined) out.emit({ auction, bid });
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
