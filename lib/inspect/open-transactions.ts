import type { JobRow } from '../ports/epoch-store.ts';
import { KafkaProblem } from '../ports/kafka-requests.ts';
import { sinksOf } from '../protocol/pool.ts';
import { CONNECTOR } from '../sinks/kafka/committable.ts';
import { poolIds } from '../sinks/kafka/ids.ts';
import { opennessOf } from '../sinks/kafka/open.ts';
import type { InspectDeps } from './deps.ts';

/** What is not over under the job's transactional ids. `unknown`: the brokers are too old to be asked. */
export type OpenTransactions = { readonly open: readonly string[]; readonly ending: readonly string[] } | 'unknown';

export async function openTransactionsOf(deps: Pick<InspectDeps, 'kafka'>, { job, incarnation, pool }: JobRow): Promise<OpenTransactions> {
  const kafka = await deps.kafka();
  try {
    const found = await kafka.describeTransactions(poolIds(job, incarnation, sinksOf(pool, CONNECTOR)));
    const idsThatAre = (openness: string) =>
      found.filter((each) => opennessOf(each) === openness).map(({ transactionalId }) => transactionalId);
    return { open: idsThatAre('open'), ending: idsThatAre('ending') };
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNSUPPORTED_VERSION') return 'unknown';
    throw error;
  }
}
