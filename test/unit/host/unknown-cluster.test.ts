import { expect, it } from 'vitest';
import { openKafkaStageHost } from '../../../host/process.ts';

it('what is of a cluster without parameters is asked of nobody, also where no cluster has a name', async () => {
  const { kafka } = await openKafkaStageHost({
    ONCEFLOW_JOB: './jobs/word-count.ts',
    ONCEFLOW_BROKERS: 'localhost:1',
    ONCEFLOW_BLOBS: 'file:///var/blobs',
  });
  const unknown = { code: 'UNKNOWN_CLUSTER', message: expect.stringContaining('set ONCEFLOW_KAFKA_ORDERS_BROKERS') };
  await expect(kafka.leaders('orders/out')).rejects.toMatchObject(unknown);
  // A broker takes any text for a transactional id.
  await expect(kafka.initProducerId('orders/job-0', 1_000)).rejects.toMatchObject(unknown);
  await kafka.close();
});
