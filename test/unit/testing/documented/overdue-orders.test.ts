import { expect, test } from 'vitest';
import { testJob } from '../../../../lib/testing/index.ts';
import overdueOrders, { orders, overdue } from './overdue-orders.ts';

test('an order that is not paid after ten minutes is overdue', async () => {
  const job = testJob(overdueOrders);
  job.pushRecords(orders, { value: { id: 'a', isPaid: false }, timestamp: 0 }, { value: { id: 'b', isPaid: false }, timestamp: 1_000 });
  job.pushRecords(orders, { value: { id: 'a', isPaid: true }, timestamp: 2_000 });
  await job.runUntilIdle();
  expect(await job.state('await-payment', 'a')).toEqual({ isPaid: true });
  expect(await job.timers('await-payment', 'b')).toEqual({ event: [601_000], processing: [] });

  await job.advanceWatermark('read-orders', 700_000);
  expect(job.values(overdue)).toEqual(['b is overdue since 601000']);
});

test('no crash makes an order overdue twice, or never', async () => {
  const job = testJob(overdueOrders, { partitions: { orders: 2 }, parallelism: 2 });
  job.pushRecords(orders, { value: { id: 'a', isPaid: false }, timestamp: 0 });
  await job.runEpoch();
  job.restore({ parallelism: 3 });
  job.pushRecords(orders, { value: { id: 'b', isPaid: false }, timestamp: 0 });
  await job.crash();
  await job.runUntilIdle();
  await job.advanceWatermark('read-orders', 700_000);
  expect(job.values(overdue).toSorted()).toEqual(['a is overdue since 600000', 'b is overdue since 600000']);
});
