import type { Clock } from '../ports/clock.ts';
import type { InspectionRequests, TransactionDescription } from '../ports/kafka-requests.ts';
import type { Cluster } from './cluster.ts';
import { describeTransactionsRequest } from './describe-transactions-request.ts';
import { answerProblem, type Resource, unreachableProblem } from './problems.ts';
import { repeated } from './repeated.ts';

export function inspectionRequests(cluster: Cluster, clock: Clock): InspectionRequests {
  return {
    describeTransactions: (ids) => Promise.all(ids.map((id) => repeated(clock, () => describeTransaction(cluster, id)))),
  };
}

async function describeTransaction(cluster: Cluster, id: string): Promise<TransactionDescription> {
  const what = `the state of transactional id ${id}`;
  const about: Resource = { kind: 'transactional id', name: id };
  const request = describeTransactionsRequest([id]);
  const { answer, response } = await cluster.sendToCoordinator(
    'transaction',
    id,
    request,
    ({ transactions: [found] }) => (found?.state === 'unknown' ? 'NONE' : (found?.answer ?? 'UNKNOWN_SERVER_ERROR')),
    about,
  );
  const [found] = response?.transactions ?? [];
  if (answer === 'NO_ANSWER') throw unreachableProblem(cluster.login, what, "the transaction's coordinator cannot be reached");
  if (answer !== 'NONE' || found === undefined) throw answerProblem(cluster.login, what, answer, about);
  const { answer: _, ...description } = found;
  return description;
}
