import { defineJob, json, kafkaSink, type Output, valueState } from '../../lib/api/index.ts';
import { rankOf } from './bid-counts.ts';
import { dayOf, events, isBid } from './events.ts';

type AuctionDay = readonly [auction: number, day: string];

interface Prices {
  total_bids: number;
  rank1_bids: number;
  rank2_bids: number;
  rank3_bids: number;
  min_price: number;
  max_price: number;
  sum_price: number;
}

interface Result extends Prices {
  readonly auction: number;
  readonly day: string;
  readonly avg_price: number;
}

const NO_BIDS: Prices = {
  total_bids: 0,
  rank1_bids: 0,
  rank2_bids: 0,
  rank3_bids: 0,
  min_price: Number.MAX_SAFE_INTEGER,
  max_price: 0,
  sum_price: 0,
};

/** Of each auction and day the bids, by price, and the least, the highest, the average and the total price. */
export default defineJob('nexmark-q17', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .keyBy(({ auction, dateTime }) => [auction, dayOf(dateTime)], json<AuctionDay>())
    .process('sum-prices', {
      state: { prices: valueState(json<Prices>(), NO_BIDS) },
      onRecord({ price }, state, out: Output<Result>, { key: [auction, day] }) {
        const prices = state.prices.get();
        prices.total_bids++;
        prices[`${rankOf(price)}_bids`]++;
        prices.min_price = Math.min(prices.min_price, price);
        prices.max_price = Math.max(prices.max_price, price);
        prices.sum_price += price;
        out.emit({ auction, day, ...prices, avg_price: Math.floor(prices.sum_price / prices.total_bids) });
      },
    })
    .sink(
      'write-results',
      kafkaSink({
        topic: 'nexmark-q17',
        key: json<AuctionDay>(),
        value: json(),
        toRecord: (result) => ({ key: [result.auction, result.day], value: result }),
      }),
    );
});
