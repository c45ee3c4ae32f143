import { clusterOf, inCluster } from '../config/clusters.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import { KafkaProblem, type KafkaRequests, type TransactionDescription } from '../ports/kafka-requests.ts';
import { sinksOf } from '../protocol/pool.ts';
import { CONNECTOR } from '../sinks/kafka/committable.ts';
import { poolIds } from '../sinks/kafka/ids.ts';
import { readOpen } from '../sinks/kafka/left-open.ts';
import { opennessOf } from '../sinks/kafka/open.ts';
import type { InspectDeps } from './deps.ts';

/** What is not over under the job's transactional ids. `unknown`: the brokers are too old to be asked. */
export type OpenTransactions = { readonly open: readonly string[]; readonly ending: readonly string[] } | 'unknown';

type Deps = Pick<InspectDeps, 'kafka' | 'clock' | 'random'>;

/** The leaders of partitions that cannot be asked in this time say nothing. */
const LEADERS_TIMEOUT_MS = 5_000;

export async function openTransactionsOf(deps: Deps, row: JobRow): Promise<OpenTransactions> {
  const kafka = await deps.kafka();
  try {
    const found = await kafka.describeTransactions(poolIds(row.job, row.incarnation, sinksOf(row.pool, CONNECTOR)));
    const idsThatAre = (openness: string) =>
      found.filter((each) => opennessOf(each) === openness).map(({ transactionalId }) => transactionalId);
    const [open, ending] = [idsThatAre('open'), idsThatAre('ending')];
    return { open: open.length + ending.length > 0 ? open : await openByLeaders(deps, kafka, row, found), ending };
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNSUPPORTED_VERSION') return 'unknown';
    throw error;
  }
}

/** Ids whose transactions are over, as their coordinator says, and of which partitions hold records whose end a broker forgot. */
async function openByLeaders(
  { clock, random }: Deps,
  kafka: KafkaRequests,
  { pool }: JobRow,
  found: readonly TransactionDescription[],
): Promise<string[]> {
  const asking = { kafka, clock, random, deadlineMs: clock.elapsedMs() + LEADERS_TIMEOUT_MS };
  const topics = new Set(Object.values(sinksOf(pool, CONNECTOR)).flatMap(({ places }) => places));
  const readings = await Promise.all([...topics].map((topic) => readOpen(asking, topic)));
  const producers = new Set(readings.flatMap(({ open }) => open.map(({ topic, producerId }) => inCluster(clusterOf(topic), producerId))));
  return found
    .filter(({ transactionalId, producerId }) => producers.has(inCluster(clusterOf(transactionalId), producerId)))
    .map(({ transactionalId }) => transactionalId);
}
