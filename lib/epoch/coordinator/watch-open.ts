import { poolIds } from '../../transactions/ids.ts';
import { type OpenTransaction, readOpen } from '../../transactions/left-open.ts';
import { DEFAULT_MAX_TRANSACTION_TIMEOUT_MS } from './check-start.ts';
import type { CoordinatorDeps, JobSettings, Tenure } from './context.ts';

/** How often the sinks' topics are looked at. Longer than an epoch of a job that is well has its transactions open. */
export const OPEN_LOOK_INTERVAL_MS = 30_000;
const LOOK_TIMEOUT_MS = 10_000;

/** Finds transactions in the sinks' topics that nobody is going to end. */
export interface OpenWatch {
  /** One look at the sinks' topics; changes nothing there. */
  look(): Promise<void>;
  /** Has something been open under the job's ids in two looks, one after the other? */
  foundAny(): boolean;
  /** Every id was settled. */
  settled(): void;
}

/**
 * What a zombie (an attempt that was given up, of a coordinator that was superseded) opens after the ids were settled is ended
 * by the next attempt that writes there. A job without input has none, an id beyond today's parallelism is not used at all, and
 * a broker may have forgotten the end: then readers of committed data would wait until the next stop. So the holder of the job
 * looks, now and then. What is found may be an epoch's that is only slow: it is settled between epochs, when nothing is in flight.
 *
 * What is open under a producer id that is not the job's any more (its epochs were used up, or it expired) or never was, the job
 * cannot end. Where it is older than any transaction may be, that is said, once: a person ends it.
 */
export function createOpenWatch(deps: CoordinatorDeps, { job }: JobSettings, tenure: Tenure): OpenWatch {
  const { kafka, clock, random } = deps;
  const topics = [...new Set(Object.values(tenure.writtenTopics).flat())];
  const ids = poolIds(job, tenure.incarnation, tenure.pool);
  const said = new Set<string>();
  let seen: ReadonlySet<string> = new Set();
  let found = false;

  async function sayHanging(others: readonly OpenTransaction[]): Promise<void> {
    const fresh = others.filter((one) => !said.has(nameOf(one)));
    if (fresh.length === 0) return;
    const setting = 'transaction.max.timeout.ms';
    const longestMs = Number((await kafka.brokerConfig([setting])).get(setting) ?? DEFAULT_MAX_TRANSACTION_TIMEOUT_MS);
    for (const one of fresh.filter(({ lastTimestampMs }) => clock.now() - lastTimestampMs > longestMs)) {
      said.add(nameOf(one));
      const { topic, partition } = one;
      deps.observe({ event: 'hanging-transaction', topic, partition, message: hangingText(one, longestMs) });
    }
  }

  return {
    async look() {
      const asking = { kafka, clock, random, deadlineMs: clock.elapsedMs() + LOOK_TIMEOUT_MS };
      const open = (await Promise.all(topics.map((topic) => readOpen(asking, topic)))).flatMap((reading) => reading.open);
      const lasting = open.filter((one) => seen.has(nameOf(one)));
      seen = new Set(open.map(nameOf));
      if (lasting.length === 0) return;
      const own = new Set((await kafka.describeTransactions(ids)).map(({ producerId }) => producerId));
      found = lasting.some(({ producerId }) => own.has(producerId));
      await sayHanging(lasting.filter(({ producerId }) => !own.has(producerId)));
    },
    foundAny: () => found,
    settled() {
      found = false;
    },
  };
}

function nameOf({ topic, partition, producerId, openSince }: OpenTransaction): string {
  return `${topic} ${partition} ${producerId} ${openSince}`;
}

function hangingText({ topic, partition, producerId, producerEpoch, openSince }: OpenTransaction, longestMs: number): string {
  return (
    `readers of committed data in ${topic}-${partition} wait at offset ${openSince}: a transaction of producer ${producerId}, epoch ${producerEpoch}, ` +
    `is open there for longer than any may be (transaction.max.timeout.ms=${longestMs}, by the timestamps of its records), so nobody ends it. ` +
    `Look with "kafka-transactions.sh find-hanging --topic ${topic} --partition ${partition}", and end it with ` +
    `"kafka-transactions.sh abort --topic ${topic} --partition ${partition} --start-offset ${openSince}" ("Hanging transactions" in docs/operations.md)`
  );
}
