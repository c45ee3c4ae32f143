import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners, type Producer } from 'kafkajs';
import { kafkaJsClient } from '../../local/stack/kafka-js.ts';
import { orderOf } from '../support/orders.ts';

const BATCH_MS = 100;
const AGAIN_MS = 200;

/** Orders that come into a topic all the time, a customer's into one partition. What a broker that dies had not taken comes again. */
export class Load {
  /** Orders a second. */
  rate: number;
  /** When orders were sent, and how many. */
  readonly sent: { readonly atMs: number; readonly orders: number }[] = [];
  readonly #work: Promise<void>;
  #isOver = false;

  constructor(brokers: string, topic: string, rate: number) {
    this.rate = rate;
    this.#work = this.#send(kafkaJsClient('session-load', brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner }), topic);
    // Who stops it hears of its failure.
    this.#work.catch(() => {});
  }

  stop(): Promise<void> {
    this.#isOver = true;
    return this.#work;
  }

  async #send(producer: Producer, topic: string): Promise<void> {
    await producer.connect();
    try {
      for (let n = 0; !this.#isOver; ) {
        const orders = Array.from({ length: Math.round((this.rate * BATCH_MS) / 1_000) }, (_, index) => orderOf(n + index));
        const messages = orders.map((order) => ({ key: order.customer, value: JSON.stringify(order) }));
        const isSent = await producer.send({ topic, messages }).then(
          () => true,
          () => false,
        );
        if (isSent) {
          n += orders.length;
          this.sent.push({ atMs: Date.now(), orders: orders.length });
        }
        await sleep(isSent ? BATCH_MS : AGAIN_MS);
      }
    } finally {
      await producer.disconnect();
    }
  }
}
