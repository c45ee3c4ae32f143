import { expect, it } from 'vitest';
import { testJob } from '../../../lib/testing/index.ts';
import first from '../../session/orders-1.ts';
import second from '../../session/orders-2.ts';
import { orderOf, resultsOf } from '../../support/orders.ts';

it('the second build of the job of the session goes on from what the first has kept, under another name and in another form', async () => {
  const orders = Array.from({ length: 60 }, (_, n) => orderOf(n));
  const before = testJob(first);
  before.push('read-orders', ...orders.slice(0, 30));
  await before.runUntilIdle();
  const after = before.fork({ job: second, parallelism: 2 });
  after.push('read-orders', ...orders.slice(30));
  await after.runUntilIdle();
  expect(after.values('write-totals').toSorted()).toEqual(resultsOf(orders).toSorted());
  expect(after.values('write-sizes')).toHaveLength(30);
});
