import { nameInCluster } from '../../config/clusters.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AdminRequests, KafkaProblem } from '../../ports/kafka-requests.ts';
import type { SinkEvent } from '../connector.ts';
import type { OpenTransaction } from './left-open.ts';

const SETTING = 'transaction.max.timeout.ms';
/** Kafka's default of it. */
const DEFAULT_MAX_TRANSACTION_TIMEOUT_MS = 900_000;

interface Saying {
  readonly kafka: Pick<AdminRequests, 'brokerConfig'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of which all of it is. */
  readonly cluster: string;
  readonly tell: (event: SinkEvent) => void;
}

/**
 * Says which of these transactions, in the topics of the sinks and not under ids of the job, are older than any may be: no timeout
 * ends them, and no client can whose producer id is another's by now (its epochs were used up, or it expired). `said`: what was
 * said before, which grows.
 */
export async function sayHanging(
  { kafka, clock, cluster, tell }: Saying,
  open: readonly OpenTransaction[],
  said = new Set<string>(),
): Promise<void> {
  const fresh = open.filter((one) => !said.has(nameOfOpen(one)));
  if (fresh.length === 0) return;
  const longestMs = await longestTransactionMs(kafka, cluster);
  for (const one of fresh.filter(({ lastTimestampMs }) => clock.now() - lastTimestampMs > longestMs)) {
    said.add(nameOfOpen(one));
    const { topic, partition } = one;
    tell({ event: 'hanging-transaction', names: { topic, partition }, message: hangingText(one, longestMs) });
  }
}

/** The longest timeout that the brokers take. */
export async function maxTransactionTimeoutMs(kafka: Saying['kafka'], cluster: string): Promise<number> {
  return Number((await kafka.brokerConfig([SETTING], cluster)).get(SETTING) ?? DEFAULT_MAX_TRANSACTION_TIMEOUT_MS);
}

/** To look at a job, or to stop it, needs no right to read the broker's settings: Kafka's default stands in for what is not told. */
async function longestTransactionMs(kafka: Saying['kafka'], cluster: string): Promise<number> {
  try {
    return await maxTransactionTimeoutMs(kafka, cluster);
  } catch (error) {
    if (error instanceof KafkaProblem) return DEFAULT_MAX_TRANSACTION_TIMEOUT_MS;
    throw error;
  }
}

/** One open transaction in one partition; its next one has another name. */
export function nameOfOpen({ topic, partition, producerId, openSince }: OpenTransaction): string {
  return `${topic} ${partition} ${producerId} ${openSince}`;
}

function hangingText({ topic, partition, producerId, producerEpoch, openSince }: OpenTransaction, longestMs: number): string {
  // Kafka's own tool is told what the topic is called there.
  const at = `--topic ${nameInCluster(topic)} --partition ${partition}`;
  return (
    `readers of committed data in ${topic}-${partition} wait at offset ${openSince}: a transaction of producer ${producerId}, epoch ${producerEpoch}, ` +
    `is open there for longer than any may be (${SETTING}=${longestMs}, by the timestamps of its records), so nobody ends it. ` +
    `Look with "kafka-transactions.sh find-hanging ${at}", and end it with ` +
    `"kafka-transactions.sh abort ${at} --start-offset ${openSince}" ("Hanging transactions" in docs/operations.md)`
  );
}
