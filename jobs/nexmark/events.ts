import { json, kafkaSource } from '../../lib/api/index.ts';

/** What comes in, in one topic: Nexmark's auction house. Times are milliseconds since 1970, prices are cents. */
export type Event = Person | Auction | Bid | Close;

export interface Person {
  readonly type: 'person';
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
  readonly type: 'auction';
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  readonly expires: number;
  /** A person's id. */
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly type: 'bid';
  /** An auction's id. */
  readonly auction: number;
  /** A person's id. */
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

/** The last event of a partition: it only moves event time on. */
interface Close {
  readonly type: 'close';
  readonly dateTime: number;
}

const input = { topic: 'nexmark', value: json<Event>(), startingOffsets: 'earliest' } as const;

/** All of them, from the first one on. */
export const events = kafkaSource(input);

/** The same by the times at which they happened. DISORDER_MS says how much older than one before it, in its partition, an event may be. */
export const timedEvents = kafkaSource({
  ...input,
  eventTime: {
    timestamp: ({ dateTime }) => dateTime,
    maxOutOfOrdernessMs: Number(process.env['DISORDER_MS'] ?? 5_000),
    idleAfterMs: 60_000,
  },
});

export function isBid(event: Event): event is Bid {
  return event.type === 'bid';
}

export function isPerson(event: Event): event is Person {
  return event.type === 'person';
}

export function isAuction(event: Event): event is Auction {
  return event.type === 'auction';
}

/** The day in UTC, as `2025-01-31`. */
export function dayOf(dateTime: number): string {
  return new Date(dateTime).toISOString().slice(0, 10);
}

/** The minute of its day in UTC, as `23:59`. */
export function minuteOf(dateTime: number): string {
  return new Date(dateTime).toISOString().slice(11, 16);
}
