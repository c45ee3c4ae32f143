import { expect, it } from 'vitest';
import { KafkaProblem } from '../../../../lib/ports/kafka-requests.ts';
import type { SinkEvent } from '../../../../lib/sinks/connector.ts';
import { maxTransactionTimeoutMs, sayHanging } from '../../../../lib/sinks/kafka/say-hanging.ts';

const NOW = 10_000_000;
const open = (ageMs: number, partition = 0) => ({
  ...{ topic: 'out', partition, producerId: '7', producerEpoch: 3, openSince: 5 },
  lastTimestampMs: NOW - ageMs,
});
const setTo = (value?: string) => async () => new Map(value === undefined ? [] : [['transaction.max.timeout.ms', value]]);

/** The partitions of which it is said that what is open there hangs, one text for each call. */
async function said(brokerConfig: () => Promise<ReadonlyMap<string, string>>, ...calls: (readonly ReturnType<typeof open>[])[]) {
  const told: SinkEvent[] = [];
  const before = new Set<string>();
  const texts: string[] = [];
  for (const those of calls) {
    await sayHanging({ kafka: { brokerConfig }, clock: { now: () => NOW }, cluster: '', tell: (event) => told.push(event) }, those, before);
    texts.push(
      told
        .splice(0)
        .map((event) => (event.event === 'hanging-transaction' ? `${event.names['partition']}: ${event.message}` : 'another event'))
        .join('; '),
    );
  }
  return texts;
}

it('what is open for longer than the brokers let a transaction be is said to hang, and what is not is not', async () => {
  const [text] = await said(setTo('60000'), [open(60_000, 1), open(60_001, 2)]);
  expect(text).toMatch(/^2: readers of committed data in out-2 wait at offset 5: .*transaction\.max\.timeout\.ms=60000/);
  expect(text).not.toContain('out-1');
});

it('it is said once of each transaction', async () => {
  const later = { ...open(60_001, 2), openSince: 9 };
  const texts = await said(setTo('60000'), [open(60_001, 2)], [open(60_001, 2)], [open(60_001, 2), later]);
  expect(texts).toEqual([expect.stringContaining('offset 5:'), '', expect.stringContaining('offset 9:')]);
});

it("Kafka's own tool is told what a topic of a cluster with a name is called there", async () => {
  const [text] = await said(setTo('60000'), [{ ...open(60_001, 2), topic: 'orders/out' }]);
  expect(text).toMatch(
    /committed data in orders\/out-2 wait .* find-hanging --topic out --partition 2".* abort --topic out --partition 2 /,
  );
});

const refused = () => Promise.reject(new KafkaProblem('CLUSTER_AUTHORIZATION_FAILED', 'no right', false));

it.each([
  ['that the brokers do not tell', setTo()],
  ['that nobody may read', refused],
])("a longest time %s is Kafka's default of a quarter of an hour", async (_how, config) => {
  const texts = await said(config, [open(900_000, 1), open(900_001, 2)]);
  expect(texts).toEqual([expect.stringMatching(/^2: [^;]*=900000[^;]*$/)]);
});

it('where nothing is open, nobody is asked', async () => {
  expect(await said(() => expect.fail('it was asked'), [])).toEqual(['']);
});

it('a start that needs the longest time is told when it may not read it', async () => {
  expect(await maxTransactionTimeoutMs({ brokerConfig: setTo('60000') }, '')).toBe(60_000);
  expect(await maxTransactionTimeoutMs({ brokerConfig: setTo() }, '')).toBe(900_000);
  await expect(maxTransactionTimeoutMs({ brokerConfig: refused }, '')).rejects.toThrow('no right');
});

it('another failure than that of a broker is not taken for one', async () => {
  await expect(said(() => Promise.reject(new TypeError('a fault')), [open(1)])).rejects.toThrow('a fault');
});
