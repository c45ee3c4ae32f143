import { Dice } from '../../simulation/kernel/dice.ts';

/** What this generator makes of Nexmark's events; the jobs have types of their own. */
export interface NexmarkEvents {
  readonly persons: readonly Person[];
  readonly auctions: readonly Auction[];
  readonly bids: readonly Bid[];
  /** All of them in the order of arrival, as JSON. */
  readonly lines: readonly string[];
}

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly dateTime: number;
  readonly extra: string;
}

export interface Auction {
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

/** In whose topic they are: event i in partition i mod this. */
export const PARTITIONS = 3;
/** An event is less than this older than the newest before it. */
export const DISORDER_MS = 4_000;

const START = Date.UTC(2025, 0, 30, 5, 30);
/** Between two events: mostly so that several are in a window of ten seconds. */
const MOST_MS_BETWEEN = 2_000;
/** Now and then: so that a few hundred events see every hour and more than one midnight. */
const MOST_MS_OF_PAUSE = 12 * 3_600_000;
const SESSION_GAP_MS = 10_000;
const MOST_MS_OPEN = 30_000;
/** Around the limits of the ranks, and of the range of q14; few, so that there are ties. */
const PRICES = [1, 9_999, 10_000, 500_000, 999_999, 1_000_000, 1_101_321, 1_101_322, 7_654_321, 55_066_079, 55_066_080];
const CHANNELS = ['Apple', 'google', 'FACEBOOK', 'Baidu', 'channel-1', 'channel-2', 'channel-3', 'Apple Pay'];
const PAGES = ['ab/cd/ef/item.htm?query=1', 'ab/cd', '', 'ab//ef/item.htm', 'x/y/z/item.htm?channel_id=1'];
const PARAMETERS = ['', '&channel_id=77', '&channel_id=', '&channel_id=5&more=channel_id=6', '&no_channel_id=8'];
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
const LEAD = 4;

/**
 * Some events of an auction house, the same for the same seed: with what queries go wrong at. Bids come before their auction, and auctions
 * before their seller; some of these never come. Bids share their time, their price, or both, and arrive up to `DISORDER_MS` late. Some come
 * in the very millisecond in which a session of their bidder could end, or the one behind it, and some when their auction begins or expires.
 */
export function nexmarkEvents(seed: number, count: number): NexmarkEvents {
  const dice = new Dice(seed);
  const persons: Person[] = [];
  const auctions: Auction[] = [];
  const bids: Bid[] = [];
  const arrivals: { readonly at: number; readonly line: string }[] = [];
  let dateTime = START;
  const text = (length: number) => Array.from({ length }, () => dice.pick(['a', 'b', 'c'])).join('');
  /** By which queries decide between equal bids: no other bid of this time has it. */
  const ownText = (): string => {
    const extra = text(dice.whole(1, 6));
    return bids.some((bid) => bid.dateTime === dateTime && bid.extra === extra) ? ownText() : extra;
  };
  const near = (newest: number) => dice.whole(Math.max(1, newest - 5), newest + LEAD);
  /** Of a bid: time goes on to where it decides whether the bid counts. */
  const atAnEdge = (): Partial<Bid> => {
    const { id: auction, expires } = auctions.at(-dice.whole(1, 2)) ?? { id: 0, expires: 0 };
    const { bidder, dateTime: lastTime } = bids.at(-dice.whole(1, 5)) ?? { bidder: 0, dateTime: 0 };
    const ofAuction = dice.chance(0.5);
    const edge = (ofAuction ? expires : lastTime + SESSION_GAP_MS) + dice.pick([0, 0, 1]);
    if (edge < dateTime) return {};
    dateTime = edge;
    return ofAuction ? { auction, dateTime } : { bidder, dateTime };
  };
  const keep = <E extends object>(type: string, into: E[], event: E) => {
    into.push(event);
    const late = dice.pick([0, dice.whole(0, DISORDER_MS - 1), DISORDER_MS - 1]);
    arrivals.push({ at: dateTime + late, line: JSON.stringify({ type, ...event }) });
  };
  for (let n = 0; n < count; n++) {
    if (dice.chance(0.8)) dateTime += Math.round(dice.chance(0.02) ? dice.between(1, MOST_MS_OF_PAUSE) : dice.spread(1, MOST_MS_BETWEEN));
    const kind = dice.next();
    if (kind < 0.06) {
      const id = persons.length + 1;
      const name = `person ${id}`;
      const city = dice.pick(['Boise', 'Bend', 'Kent']);
      const state = dice.pick(STATES);
      keep('person', persons, { id, name, emailAddress: 'a@b.com', creditCard: '1234 5678', city, state, dateTime, extra: text(3) });
    } else if (kind < 0.2) {
      const id = auctions.length + 1;
      const initialBid = dice.pick(PRICES);
      keep('auction', auctions, {
        id,
        itemName: text(5),
        description: text(9),
        initialBid,
        reserve: initialBid + 1,
        dateTime,
        expires: dateTime + dice.whole(0, MOST_MS_OPEN),
        seller: near(persons.length),
        category: dice.whole(10, 14),
        extra: text(4),
      });
    } else {
      const last = bids.at(-1);
      const again = last?.dateTime === dateTime && dice.chance(0.5) ? last : undefined;
      keep('bid', bids, {
        // Now and then on one that q2 asks for.
        auction: dice.chance(0.05) ? 123 * dice.whole(1, 3) : near(auctions.length),
        bidder: near(persons.length),
        price: dice.pick(PRICES),
        channel: dice.pick(CHANNELS),
        url: `https://www.nexmark.com/${dice.pick(PAGES)}${dice.pick(PARAMETERS)}`,
        dateTime,
        // Or the one before, but for its text and perhaps its bidder; or at the edge of something.
        ...again,
        ...(dice.chance(0.3) && { bidder: near(persons.length) }),
        ...(dice.chance(0.08) && atAnEdge()),
        extra: ownText(),
      });
    }
  }
  const close = JSON.stringify({ type: 'close', dateTime: dateTime + 86_400_000 });
  const lines = arrivals.toSorted((one, other) => one.at - other.at).map(({ line }) => line);
  return { persons, auctions, bids, lines: [...lines, ...Array.from({ length: PARTITIONS }, () => close)] };
}
