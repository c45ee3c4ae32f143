import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners, type Producer } from 'kafkajs';
import { kafkaJsClient } from '../../local/stack/kafka-js.ts';
import { orderOf } from '../support/orders.ts';

const BATCH_MS = 100;
const BURST_BATCH = 500;
const AGAIN_MS = 200;

/** Orders that come into a topic all the time, a customer's into one partition. What a broker that dies had not taken comes again. */
export class Load {
  /** When orders were sent, and how many. */
  readonly sent: { readonly atMs: number; readonly orders: number }[] = [];
  readonly #work: Promise<void>;
  /** Orders of a burst that have not been sent yet. */
  #more = 0;
  #isOver = false;

  /** @param rate orders a second */
  constructor(brokers: string, topic: string, rate: number) {
    const producer = kafkaJsClient('session-load', brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    this.#work = this.#send(producer, topic, Math.round((rate * BATCH_MS) / 1_000));
    // Who stops it hears of its failure.
    this.#work.catch(() => {});
  }

  /** So many more, as fast as the broker takes them: not so many a second, for a busy machine would make less of it. */
  async burst(orders: number): Promise<void> {
    this.#more += orders;
    while (this.#more > 0 && !this.#isOver) await sleep(BATCH_MS);
  }

  stop(): Promise<void> {
    this.#isOver = true;
    return this.#work;
  }

  async #send(producer: Producer, topic: string, perBatch: number): Promise<void> {
    await producer.connect();
    try {
      for (let n = 0; !this.#isOver; ) {
        const more = Math.min(this.#more, BURST_BATCH);
        const orders = Array.from({ length: perBatch + more }, (_, index) => orderOf(n + index));
        const messages = orders.map((order) => ({ key: order.customer, value: JSON.stringify(order) }));
        const isSent = await producer.send({ topic, messages }).then(
          () => true,
          () => false,
        );
        if (isSent) {
          n += orders.length;
          this.#more -= more;
          this.sent.push({ atMs: Date.now(), orders: orders.length });
        }
        await sleep(isSent ? BATCH_MS : AGAIN_MS);
      }
    } finally {
      await producer.disconnect();
    }
  }
}
