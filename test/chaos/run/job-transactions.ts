import type { Dice } from '../../simulation/kernel/dice.ts';
import { transactionsOf } from '../../support/transactions.ts';
import type { Scene } from './scene.ts';

/**
 * One of the job's transactional ids; of those with an open transaction, if there are any. Undefined when no broker says
 * that it knows one.
 */
export async function someTransactionalId({ job, brokers }: Scene, dice: Dice): Promise<string | undefined> {
  const asked = brokers.all.map(({ id }) => transactionsOf(id, job.name, brokers.addresses).catch(() => []));
  const listed = (await Promise.all(asked)).flat();
  const open = listed.filter(({ state }) => state === 'Ongoing');
  return dice.pick(open.length > 0 ? open : listed)?.transactionalId;
}
