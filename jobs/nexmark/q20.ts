import { connect, defineJob, int64, json, kafkaSink, listState, type Output, valueState } from '../../lib/api/index.ts';
import { type Auction, type Bid, events, isAuction, isBid } from './events.ts';

const CATEGORY = 10;

/** A bid's fields and its auction's, renamed where both have one of the name. */
interface Result
  extends Pick<Bid, 'auction' | 'bidder' | 'price' | 'channel' | 'url'>,
    Omit<Auction, 'type' | 'id' | 'dateTime' | 'extra'> {
  readonly bid_dateTime: number;
  readonly bid_extra: string;
  readonly auction_dateTime: number;
  readonly auction_extra: string;
}

/** Bids on auctions of category 10, joined with the auction, whichever of the two came first. */
export default defineJob('nexmark-q20', (job) => {
  const all = job.source('read-events', events);
  connect({
    auctions: all.filter(isAuction).keyBy(({ id }) => id, int64),
    bids: all.filter(isBid).keyBy(({ auction }) => auction, int64),
  })
    .process('join-auctions', {
      state: { auction: valueState(json<Auction | 'of another category'>()), waiting: listState(json<Bid>()) },
      on: {
        auctions(event, { auction, waiting }, out: Output<Result>) {
          if (event.category === CATEGORY) for (const bid of waiting) out.emit(joined(bid, event));
          auction.set(event.category === CATEGORY ? event : 'of another category');
          waiting.clear();
        },
        bids(bid, { auction, waiting }, out: Output<Result>) {
          const known = auction.get();
          if (known === undefined) waiting.add(bid);
          else if (known !== 'of another category') out.emit(joined(bid, known));
        },
      },
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q20', value: json() }));
});

function joined(bid: Bid, { type: _, id: __, dateTime: auction_dateTime, extra: auction_extra, ...auction }: Auction): Result {
  const { type: ___, dateTime: bid_dateTime, extra: bid_extra, ...rest } = bid;
  return { ...rest, bid_dateTime, bid_extra, ...auction, auction_dateTime, auction_extra };
}
