import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Producer } from 'kafkajs';

const PAUSE_MS = 50;
const ABORTED = 3;
const AFTER_FAILURE_MS = 300;
const TRANSACTION_TIMEOUT_MS = 10_000;

export interface SteadyLoad {
  /** Lines in transactions that were committed, as far as the producer knows. */
  lines(): number;
  /** Resolves when the last transaction is over; needs a broker. */
  stop(): Promise<void>;
  /** Ends without one. */
  abandon(): void;
}

/**
 * Writes lines in transactions, of which every third is aborted, for as long as it is told to; it tries again when the
 * broker is away. What became input is what a reader finds in the topic: a failed send may have been carried out.
 */
export function steadyLoad(brokers: readonly string[], topic: string, linesOf: (round: number) => readonly string[]): SteadyLoad {
  let seeds = [...brokers];
  let producer: Producer | undefined;
  let lines = 0;
  let stopped = false;
  let abandoned = false;

  async function writeOnce(round: number): Promise<void> {
    producer ??= await connect();
    const transaction = await producer.transaction();
    const messages = linesOf(round).map((value, index) => ({ value, partition: index % 3 }));
    await transaction.send({ topic, messages });
    if (round % ABORTED === 0) return transaction.abort();
    await transaction.commit();
    lines += messages.length;
  }

  async function connect(): Promise<Producer> {
    const [first = '', ...others] = seeds;
    // kafkajs does not get past a first one that accepts connections and says nothing.
    seeds = [...others, first];
    const kafka = new Kafka({
      clientId: 'chaos-load',
      brokers: seeds,
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1_000,
      requestTimeout: 2_000,
      retry: { initialRetryTime: 100, retries: 1 },
    });
    const made = kafka.producer({
      transactionalId: `load-of-${topic}`,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      maxInFlightRequests: 1,
      idempotent: true,
      allowAutoTopicCreation: false,
    });
    await made.connect();
    return made;
  }

  async function work(): Promise<void> {
    let failed = false;
    // The last one must succeed: it ends whatever a failed one left open.
    for (let round = 1; !abandoned && (!stopped || failed); round++) {
      try {
        await writeOnce(round);
        failed = false;
        await sleep(PAUSE_MS);
      } catch {
        failed = true;
        // Not awaited: a broker that stands still does not let go.
        void producer?.disconnect().catch(() => {});
        producer = undefined;
        await sleep(AFTER_FAILURE_MS);
      }
    }
    await producer?.disconnect();
  }

  const working = work();
  return {
    lines: () => lines,
    stop() {
      stopped = true;
      return working;
    },
    abandon() {
      abandoned = true;
    },
  };
}
