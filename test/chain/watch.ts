import { setTimeout as sleep } from 'node:timers/promises';
import { askClickHouse } from './ask-clickhouse.ts';

/** What a reader of one way's tables sees at one moment. */
export interface Seen {
  /** Orders in the table with a row for each customer. */
  readonly orders: number;
  /** Rows of the other table that are there more than once. */
  readonly repeated: number;
}

export interface Sample {
  readonly atMs: number;
  /** Orders that Kafka had. */
  readonly sent: number;
  readonly ours: Seen;
  readonly plain: Seen;
}

const LOOK_EVERY_MS = 50;
const seenIn = (way: string) =>
  `(SELECT sum(orders) FROM ${way}totals FINAL), (SELECT count() - uniqExact(customer, orders) FROM ${way}results)`;
const QUERY = `SELECT ${seenIn('')}, ${seenIn('plain_')}`;
const NOTHING: Seen = { orders: 0, repeated: 0 };

/** Looks at the tables as a reader does, again and again. */
export class Watch {
  /** To be counted up by whoever sends. */
  sent = 0;
  readonly #startMs = performance.now();
  readonly #samples: Sample[] = [];
  readonly #looking: Promise<void>;
  #isOver = false;

  constructor(url: string) {
    this.#looking = this.#look(url);
  }

  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  get now(): Sample {
    return this.#samples.at(-1) ?? { atMs: 0, sent: 0, ours: NOTHING, plain: NOTHING };
  }

  async stop(): Promise<readonly Sample[]> {
    this.#isOver = true;
    await this.#looking;
    return this.#samples;
  }

  async #look(url: string): Promise<void> {
    while (!this.#isOver) {
      const { sent } = this;
      const [row = ''] = await askClickHouse(url, QUERY);
      const [orders = 0, repeated = 0, plainOrders = 0, plainRepeated = 0] = row.split('\t').map(Number);
      const plain = { orders: plainOrders, repeated: plainRepeated };
      this.#samples.push({ atMs: this.nowMs, sent, ours: { orders, repeated }, plain });
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** One time that a reader saw less than it had seen before. */
export interface JumpBack {
  readonly fromMs: number;
  /** When it saw as much again; undefined: it never did. */
  toMs: number | undefined;
  /** By so many orders, at the worst. */
  orders: number;
}

/** The times at which the table showed less than it had shown. */
export function jumpsBack(samples: readonly Sample[], way: 'ours' | 'plain'): JumpBack[] {
  const jumps: JumpBack[] = [];
  let most = 0;
  let current: JumpBack | undefined;
  for (const { atMs, [way]: seen } of samples) {
    if (seen.orders < most) {
      current ??= jumps[jumps.push({ fromMs: atMs, toMs: undefined, orders: 0 }) - 1];
      if (current !== undefined) current.orders = Math.max(current.orders, most - seen.orders);
      continue;
    }
    most = seen.orders;
    if (current !== undefined) current.toMs = atMs;
    current = undefined;
  }
  return jumps;
}
