import { defineJob, int64, json, kafkaSink, type Output, valueState } from '../../lib/api/index.ts';
import { winningBids } from './winning-bids.ts';

interface Result {
  readonly category: number;
  readonly final: number;
}

/** Of each category the average price for which its auctions were won. */
export default defineJob('nexmark-q4', (job) => {
  winningBids(job)
    .map(({ auction: { category }, bid: { price } }) => ({ category, price }))
    .keyBy(({ category }) => category, int64)
    .process('average', {
      state: { sum: valueState(int64, 0), auctions: valueState(int64, 0) },
      onRecord({ price }, { sum, auctions }, out: Output<Result>, { key: category }) {
        const total = sum.update((before) => before + price);
        out.emit({ category, final: Math.floor(total / auctions.update((n) => n + 1)) });
      },
    })
    .sink(
      'write-results',
      kafkaSink({ topic: 'nexmark-q4', key: int64, value: json(), toRecord: (result) => ({ key: result.category, value: result }) }),
    );
});
