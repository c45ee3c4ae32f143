import { defineJob, int64, json, kafkaSink, listState, type Output } from '../../lib/api/index.ts';
import { type Bid, events, isBid } from './events.ts';

type AuctionRank = readonly [auction: number, rank: number];
type Ranked = Omit<Bid, 'type'>;

interface Result extends Ranked {
  readonly rank_number: number;
}

const RANKS = 10;

/** The ten highest bids on each auction; of equal prices the first bid ranks before the others. */
export default defineJob('nexmark-q19', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .keyBy(({ auction }) => auction, int64)
    .process('rank-bids', {
      // The highest first.
      state: { top: listState(json<Ranked>()) },
      onRecord({ type: _, ...bid }, { top }, out: Output<Result>) {
        let moved: Ranked = bid;
        for (const [index, ranked] of [...top].entries()) {
          if (!ranksBefore(moved, ranked)) continue;
          top.set(index, moved);
          out.emit({ ...moved, rank_number: index + 1 });
          moved = ranked;
        }
        if (top.length === RANKS) return;
        top.add(moved);
        out.emit({ ...moved, rank_number: top.length });
      },
    })
    .sink(
      'write-results',
      kafkaSink({
        topic: 'nexmark-q19',
        key: json<AuctionRank>(),
        value: json(),
        toRecord: (result) => ({ key: [result.auction, result.rank_number], value: result }),
      }),
    );
});

function ranksBefore(one: Ranked, other: Ranked): boolean {
  if (one.price !== other.price) return one.price > other.price;
  if (one.dateTime !== other.dateTime) return one.dateTime < other.dateTime;
  return one.bidder === other.bidder ? one.extra < other.extra : one.bidder < other.bidder;
}
