import type { MapState } from '../../lib/api/index.ts';
import type { Bid } from './events.ts';

export type Rank = 'rank1' | 'rank2' | 'rank3';

/** Which of three ranges a price is in. */
export function rankOf(price: number): Rank {
  if (price < 10_000) return 'rank1';
  return price < 1_000_000 ? 'rank2' : 'rank3';
}

/** Bids, and how many different bidders and auctions they have: of all, and by price. */
export type BidCounts = Record<`${'total' | Rank}_${'bids' | 'bidders' | 'auctions'}`, number>;

export const NO_BIDS: Readonly<BidCounts> = {
  total_bids: 0,
  rank1_bids: 0,
  rank2_bids: 0,
  rank3_bids: 0,
  total_bidders: 0,
  rank1_bidders: 0,
  rank2_bidders: 0,
  rank3_bidders: 0,
  total_auctions: 0,
  rank1_auctions: 0,
  rank2_auctions: 0,
  rank3_auctions: 0,
};

/** By id of a bidder or an auction: the ranks in which it was seen, a bit for each. */
type Seen = MapState<number, number>;

const BIT: Readonly<Record<Rank, number>> = { rank1: 1, rank2: 2, rank3: 4 };

/** Adds a bid, in place. */
export function countBid(counts: BidCounts, { price, bidder, auction }: Bid, bidders: Seen, auctions: Seen): void {
  const rank = rankOf(price);
  counts.total_bids++;
  counts[`${rank}_bids`]++;
  countDifferent(counts, 'bidders', bidders, bidder, rank);
  countDifferent(counts, 'auctions', auctions, auction, rank);
}

function countDifferent(counts: BidCounts, what: 'bidders' | 'auctions', seen: Seen, id: number, rank: Rank): void {
  const before = seen.get(id) ?? 0;
  if ((before & BIT[rank]) !== 0) return;
  seen.set(id, before | BIT[rank]);
  if (before === 0) counts[`total_${what}`]++;
  counts[`${rank}_${what}`]++;
}
