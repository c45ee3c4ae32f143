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

/** All of them, from the first one on. */
export const events = kafkaSource({ topic: 'nexmark', value: json<Event>(), startingOffsets: 'earliest' });

export function isBid(event: Event): event is Bid {
  return event.type === 'bid';
}

/** The day in UTC, as `2025-01-31`. */
export function dayOf(dateTime: number): string {
  return new Date(dateTime).toISOString().slice(0, 10);
}

/** The minute of its day in UTC, as `23:59`. */
export function minuteOf(dateTime: number): string {
  return new Date(dateTime).toISOString().slice(11, 16);
}
