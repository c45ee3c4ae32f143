import type { Auction, Bid, NexmarkEvents } from './events.ts';

/** What a query must yield, computed over all events at once, as plainly as can be. It shares no code with the jobs. */
export interface Query {
  /** Of an update stream the fields by which a record replaces another; empty: every record counts. */
  readonly key: readonly string[];
  readonly results: (events: NexmarkEvents) => readonly object[];
  /** What of a job's records does not hang on when they were read. @default they do not */
  readonly fixed?: (records: readonly Readonly<Record<string, unknown>>[]) => readonly object[];
}

export const QUERIES: ReadonlyMap<string, Query> = new Map<string, Query>([
  ['q0', append(({ bids }) => bids.map((bid) => only(bid, ['auction', 'bidder', 'price', 'dateTime', 'extra'])))],
  ['q1', append(({ bids }) => bids.map((bid) => ({ ...only(bid, ['auction', 'bidder', 'dateTime', 'extra']), price: euros(bid) })))],
  ['q2', append(({ bids }) => bids.filter(({ auction }) => auction % 123 === 0).map((bid) => only(bid, ['auction', 'price'])))],
  ['q3', append(q3)],
  ['q4', update(['category'], q4)],
  ['q5', append(q5)],
  ['q7', append(q7)],
  ['q8', append(q8)],
  ['q9', update(['id'], q9)],
  ['q10', append(q10)],
  ['q11', append(q11)],
  ['q12', { key: [], results: q12, fixed: sumsOfWindows }],
  ['q13', append(q13)],
  ['q14', append(q14)],
  ['q15', update(['day'], ({ bids }) => grouped(bids, ['day']).map(([key, of]) => ({ ...key, ...counts(of) })))],
  ['q16', update(['channel', 'day'], q16)],
  ['q17', update(['auction', 'day'], q17)],
  ['q18', update(['bidder', 'auction'], q18)],
  ['q19', update(['auction', 'rank_number'], q19)],
  ['q20', append(q20)],
  ['q21', append(q21)],
  ['q22', append(q22)],
]);

/** Does every record count, and none take the place of another? */
export function isAppended({ key, fixed }: Query): boolean {
  return key.length === 0 && fixed === undefined;
}

/** A result as text, whatever the order of its fields. */
export function canonical(result: object): string {
  return JSON.stringify(Object.entries(result).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function append(results: Query['results']): Query {
  return { key: [], results };
}

function update(key: readonly string[], results: Query['results']): Query {
  return { key, results };
}

function q3({ auctions, persons }: NexmarkEvents): object[] {
  return auctions.flatMap(({ id, seller, category }) =>
    persons
      .filter((person) => person.id === seller && category === 10 && /^(OR|ID|CA)$/.test(person.state))
      .map(({ name, city, state }) => ({ name, city, state, id })),
  );
}

/** Each auction that was won, with its winning bid. */
function won({ auctions, bids }: NexmarkEvents): (readonly [Auction, Bid])[] {
  return auctions.flatMap((auction) => {
    const [first] = bids
      .filter((bid) => bid.auction === auction.id && bid.dateTime >= auction.dateTime && bid.dateTime <= auction.expires)
      .toSorted(byRank);
    return first === undefined ? [] : [[auction, first] as const];
  });
}

function q4(events: NexmarkEvents): object[] {
  return [...Map.groupBy(won(events), ([{ category }]) => category)].map(([category, of]) => {
    const sum = of.reduce((before, [, { price }]) => before + price, 0);
    return { category, final: (sum - (sum % of.length)) / of.length };
  });
}

function q5({ bids }: NexmarkEvents): object[] {
  const starts = new Set(bids.flatMap(({ dateTime }) => [0, 1, 2, 3, 4].map((back) => (Math.floor(dateTime / 2_000) - back) * 2_000)));
  return [...starts].flatMap((starttime) => {
    const endtime = starttime + 10_000;
    const within = bids.filter(({ dateTime }) => dateTime >= starttime && dateTime < endtime);
    const counted = [...Map.groupBy(within, ({ auction }) => auction)].map(([auction, of]) => ({ auction, num: of.length }));
    const most = Math.max(...counted.map(({ num }) => num));
    return counted.filter(({ num }) => num === most).map((one) => ({ ...one, starttime, endtime }));
  });
}

const windowOf = ({ dateTime }: { readonly dateTime: number }) => Math.floor(dateTime / 10_000) * 10_000;

function q7({ bids }: NexmarkEvents): object[] {
  return bids
    .filter((bid) => bids.every((other) => windowOf(other) !== windowOf(bid) || other.price <= bid.price))
    .map((bid) => only(bid, ['auction', 'bidder', 'price', 'dateTime', 'extra']));
}

function q8({ persons, auctions }: NexmarkEvents): object[] {
  return persons
    .filter((person) => auctions.some((auction) => auction.seller === person.id && windowOf(auction) === windowOf(person)))
    .map((person) => ({ id: person.id, name: person.name, starttime: windowOf(person) }));
}

function q9(events: NexmarkEvents): object[] {
  return won(events).map(([auction, bid]) => ({
    ...auction,
    ...only(bid, ['auction', 'bidder', 'price']),
    bid_dateTime: bid.dateTime,
    bid_extra: bid.extra,
  }));
}

function q10({ bids }: NexmarkEvents): object[] {
  return bids.map((bid) => {
    const [day = '', time = ''] = new Date(bid.dateTime).toISOString().split('T');
    const folder = `dt=${day}/hm=${time.slice(0, 2)}${time.slice(3, 5)}`;
    return { ...only(bid, ['auction', 'bidder', 'price', 'dateTime', 'extra']), folder };
  });
}

function q11({ bids }: NexmarkEvents): object[] {
  return [...Map.groupBy(bids, ({ bidder }) => bidder)].flatMap(([bidder, of]) => {
    const times = of.map(({ dateTime }) => dateTime).toSorted((one, other) => one - other);
    const begins = times.filter((time, index) => time - (times[index - 1] ?? Number.NEGATIVE_INFINITY) > 10_000);
    return begins.map((starttime, index) => {
      const session = times.filter((time) => time >= starttime && time < (begins[index + 1] ?? Number.POSITIVE_INFINITY));
      return { bidder, bid_count: session.length, starttime, endtime: Math.max(...session) + 10_000 };
    });
  });
}

function q12({ bids }: NexmarkEvents): object[] {
  return [...Map.groupBy(bids, ({ bidder }) => bidder)].map(([bidder, of]) => ({ bidder, bid_count: of.length }));
}

function sumsOfWindows(records: readonly Readonly<Record<string, unknown>>[]): object[] {
  const windows = new Set(records.map(({ bidder, starttime }) => `${bidder} ${starttime}`));
  if (windows.size < records.length) throw new Error('a window of a bidder has several results');
  const wrong = records.find(
    ({ starttime, endtime }) => Number(starttime) % 10_000 !== 0 || Number(endtime) - Number(starttime) !== 10_000,
  );
  if (wrong !== undefined) throw new Error(`no window of ten seconds: ${JSON.stringify(wrong)}`);
  return [...Map.groupBy(records, ({ bidder }) => bidder)].map(([bidder, of]) => {
    return { bidder, bid_count: of.reduce((sum, { bid_count }) => sum + Number(bid_count), 0) };
  });
}

/** The side table: what it has for a key. Of every seventh it has nothing. */
export function sideOf(key: number): string | undefined {
  return key % 7 === 3 ? undefined : `side-${(key * 31) % 10_000}`;
}

/** The table as the file that the job reads. */
export function sideTable(): string {
  const keys = Array.from({ length: 10_000 }, (_, key) => key).filter((key) => sideOf(key) !== undefined);
  return keys.map((key) => `${JSON.stringify({ key, value: sideOf(key) })}\n`).join('');
}

function q13({ bids }: NexmarkEvents): object[] {
  return bids
    .filter(({ auction }) => sideOf(auction % 10_000) !== undefined)
    .map((bid) => ({ ...only(bid, ['auction', 'bidder', 'price', 'dateTime']), value: sideOf(bid.auction % 10_000) }));
}

function q14({ bids }: NexmarkEvents): object[] {
  return bids
    .filter(({ price }) => price * 0.908 > 1_000_000 && price * 0.908 < 50_000_000)
    .map((bid) => {
      const hour = new Date(bid.dateTime).getUTCHours();
      const isDay = hour >= 8 && hour <= 18;
      const bidTimeType = isDay ? 'dayTime' : hour === 7 || hour === 19 ? 'otherTime' : 'nightTime';
      const c_counts = [...bid.extra].filter((letter) => letter === 'c').length;
      return { ...only(bid, ['auction', 'bidder', 'dateTime', 'extra']), price: euros(bid), bidTimeType, c_counts };
    });
}

function q16({ bids }: NexmarkEvents): object[] {
  return grouped(bids, ['channel', 'day']).map(([key, of]) => {
    const latest = new Date(Math.max(...of.map(({ dateTime }) => dateTime)));
    const digits = (n: number) => String(n).padStart(2, '0');
    return { ...key, minute: `${digits(latest.getUTCHours())}:${digits(latest.getUTCMinutes())}`, ...counts(of) };
  });
}

function q17({ bids }: NexmarkEvents): object[] {
  return grouped(bids, ['auction', 'day']).map(([key, of]) => {
    const prices = of.map(({ price }) => price).toSorted((one, other) => one - other);
    const sum_price = prices.reduce((sum, price) => sum + price, 0);
    const { total_bids, rank1_bids, rank2_bids, rank3_bids } = counts(of);
    return {
      ...key,
      total_bids,
      rank1_bids,
      rank2_bids,
      rank3_bids,
      min_price: prices[0],
      max_price: prices.at(-1),
      avg_price: (sum_price - (sum_price % prices.length)) / prices.length,
      sum_price,
    };
  });
}

function q18({ bids }: NexmarkEvents): object[] {
  return grouped(bids, ['bidder', 'auction']).map(([, of]) =>
    of.toSorted((one, other) => one.dateTime - other.dateTime || (one.extra < other.extra ? -1 : 1)).at(-1),
  ) as object[];
}

/** The higher price first; of equal ones the first bid. */
function byRank(one: Bid, other: Bid): number {
  return other.price - one.price || one.dateTime - other.dateTime || one.bidder - other.bidder || (one.extra < other.extra ? -1 : 1);
}

function q19({ bids }: NexmarkEvents): object[] {
  return grouped(bids, ['auction']).flatMap(([, of]) =>
    of
      .toSorted(byRank)
      .slice(0, 10)
      .map((bid, index) => ({ ...bid, rank_number: index + 1 })),
  );
}

function q20({ bids, auctions }: NexmarkEvents): object[] {
  const joined = (bid: Bid, auction: Auction) => ({
    ...only(auction, ['itemName', 'description', 'initialBid', 'reserve', 'expires', 'seller', 'category']),
    auction_dateTime: auction.dateTime,
    auction_extra: auction.extra,
    ...only(bid, ['auction', 'bidder', 'price', 'channel', 'url']),
    bid_dateTime: bid.dateTime,
    bid_extra: bid.extra,
  });
  return bids.flatMap((bid) => auctions.filter(({ id, category }) => id === bid.auction && category === 10).map((it) => joined(bid, it)));
}

function q21({ bids }: NexmarkEvents): object[] {
  return bids.flatMap((bid) => {
    const known = ['apple', 'google', 'facebook', 'baidu'].indexOf(bid.channel.toLowerCase());
    const named = bid.url.split('&').find((part) => part.startsWith('channel_id='));
    const channel_id = known >= 0 ? String(known) : named?.slice('channel_id='.length);
    return channel_id === undefined ? [] : [{ ...only(bid, ['auction', 'bidder', 'price', 'channel']), channel_id }];
  });
}

function q22({ bids }: NexmarkEvents): object[] {
  return bids.map((bid) => {
    const parts = bid.url.split('/');
    const part = (n: number) => parts[n] ?? '';
    return { ...only(bid, ['auction', 'bidder', 'price', 'channel']), dir1: part(3), dir2: part(4), dir3: part(5) };
  });
}

function only<T, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}

function euros({ price }: Bid): number {
  return Number((BigInt(price) * 908n) / 1000n);
}

/** The bids of each combination of these fields, of which `day` is made of the time. */
function grouped(bids: readonly Bid[], by: readonly (keyof Bid | 'day')[]): readonly (readonly [object, readonly Bid[]])[] {
  const keyOf = (bid: Bid) => {
    const day = new Date(bid.dateTime).toISOString().split('T')[0];
    return Object.fromEntries(by.map((field) => [field, field === 'day' ? day : bid[field]]));
  };
  return [...Map.groupBy(bids, (bid) => JSON.stringify(keyOf(bid)))].map(([key, of]) => [JSON.parse(key) as object, of]);
}

function counts(bids: readonly Bid[]): Record<string, number> {
  const ranks = {
    total: bids,
    rank1: bids.filter(({ price }) => price < 10_000),
    rank2: bids.filter(({ price }) => price >= 10_000 && price < 1_000_000),
    rank3: bids.filter(({ price }) => price >= 1_000_000),
  };
  return Object.fromEntries(
    Object.entries(ranks).flatMap(([rank, of]) => [
      [`${rank}_bids`, of.length],
      [`${rank}_bidders`, new Set(of.map(({ bidder }) => bidder)).size],
      [`${rank}_auctions`, new Set(of.map(({ auction }) => auction)).size],
    ]),
  );
}
