import { expect, test } from 'vitest';
import { testJob } from '../../../../lib/testing/index.ts';
import orderTotals, { orders, totals } from './orders.ts';

test('totals are exact beyond 2^53', async () => {
  const job = testJob(orderTotals);
  job.push(orders, { customer: 'a', cents: 2n ** 53n }, { customer: 'a', cents: 1n });
  await job.runUntilIdle();
  expect(job.values(totals).at(-1)).toEqual({ customer: 'a', cents: 2n ** 53n + 1n, orders: 2 });
});
