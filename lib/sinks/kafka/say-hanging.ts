import { DEFAULT_MAX_TRANSACTION_TIMEOUT_MS } from '../../epoch/coordinator/check-start.ts';
import type { CoordinatorDeps } from '../../epoch/coordinator/context.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import type { OpenTransaction } from './left-open.ts';

const SETTING = 'transaction.max.timeout.ms';

/**
 * Says which of these transactions, in the topics of the sinks and not under ids of the job, are older than any may be: no timeout
 * ends them, and no client can whose producer id is another's by now (its epochs were used up, or it expired). `said`: what was
 * said before, which grows.
 */
export async function sayHanging(deps: CoordinatorDeps, open: readonly OpenTransaction[], said = new Set<string>()): Promise<void> {
  const fresh = open.filter((one) => !said.has(nameOfOpen(one)));
  if (fresh.length === 0) return;
  const longestMs = await longestTransactionMs(deps);
  for (const one of fresh.filter(({ lastTimestampMs }) => deps.clock.now() - lastTimestampMs > longestMs)) {
    said.add(nameOfOpen(one));
    const { topic, partition } = one;
    deps.observe({ event: 'hanging-transaction', topic, partition, message: hangingText(one, longestMs) });
  }
}

/** To look at a job, or to stop it, needs no right to read the broker's settings: Kafka's default stands in for what is not told. */
async function longestTransactionMs({ kafka }: CoordinatorDeps): Promise<number> {
  try {
    return Number((await kafka.brokerConfig([SETTING])).get(SETTING) ?? DEFAULT_MAX_TRANSACTION_TIMEOUT_MS);
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
  return (
    `readers of committed data in ${topic}-${partition} wait at offset ${openSince}: a transaction of producer ${producerId}, epoch ${producerEpoch}, ` +
    `is open there for longer than any may be (${SETTING}=${longestMs}, by the timestamps of its records), so nobody ends it. ` +
    `Look with "kafka-transactions.sh find-hanging --topic ${topic} --partition ${partition}", and end it with ` +
    `"kafka-transactions.sh abort --topic ${topic} --partition ${partition} --start-offset ${openSince}" ("Hanging transactions" in docs/operations.md)`
  );
}
