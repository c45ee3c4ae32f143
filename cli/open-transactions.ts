import type { JobRow } from '../lib/ports/epoch-store.ts';
import { KafkaProblem } from '../lib/ports/kafka-requests.ts';
import { poolIds } from '../lib/transactions/ids.ts';
import { opennessOf } from '../lib/transactions/open.ts';
import type { Tools } from './tools.ts';

/** What is not over under the job's transactional ids. `unknown`: the brokers are too old to be asked. */
export type OpenTransactions = { readonly open: readonly string[]; readonly ending: readonly string[] } | 'unknown';

export async function openTransactionsOf(tools: Tools, { job, incarnation, pool }: JobRow): Promise<OpenTransactions> {
  const kafka = await tools.kafka();
  try {
    const found = await kafka.describeTransactions(poolIds(job, incarnation, pool));
    const idsThatAre = (openness: string) =>
      found.filter((each) => opennessOf(each) === openness).map(({ transactionalId }) => transactionalId);
    return { open: idsThatAre('open'), ending: idsThatAre('ending') };
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNSUPPORTED_VERSION') return 'unknown';
    throw error;
  }
}
