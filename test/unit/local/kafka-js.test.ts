import { expect, it, onTestFinished } from 'vitest';
import { kafkaJsClient } from '../../../local/stack/kafka-js.ts';
import { startFakeBroker } from '../kafka/fake-broker.ts';

it.each([
  ['::1', (port: number) => `[::1]:${port}`],
  ['127.0.0.1', (port: number) => ` 127.0.0.1:${port}`],
])("connects to brokers as ONCEFLOW_BROKERS names them, also by address %s: kafkajs's own text has no brackets", async (host, text) => {
  const broker = await startFakeBroker({ host, reply: () => 'silence' });
  onTestFinished(() => broker.close());
  const admin = kafkaJsClient('test', text(broker.port)).admin();
  await admin.connect();
  expect(broker.connections()).toBe(1);
  await admin.disconnect();
});

it('says what is no address', () => {
  expect(() => kafkaJsClient('test', '::1:9092')).toThrow(
    /ONCEFLOW_BROKERS is "::1:9092": it must be host:port \(an IPv6 address in brackets/,
  );
});
