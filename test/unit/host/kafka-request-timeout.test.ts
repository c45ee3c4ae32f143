import { afterEach, expect, it } from 'vitest';
import { openKafkaStageHost } from '../../../host/process.ts';
import { startFakeBroker } from '../kafka/fake-broker.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

it('a function waits for a broker that hangs for ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS, not for longer', async () => {
  const broker = await startFakeBroker({ reply: () => 'silence' });
  open.push(broker);
  const { kafka } = await openKafkaStageHost({
    ONCEFLOW_JOB: './jobs/word-count.ts',
    ONCEFLOW_BROKERS: broker.address,
    ONCEFLOW_BLOBS: 'file:///var/blobs',
    ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS: '300',
  });
  open.push(kafka);
  const startedMs = performance.now();
  await expect(kafka.leaders('out')).rejects.toMatchObject({ code: 'NO_ANSWER' });
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});
