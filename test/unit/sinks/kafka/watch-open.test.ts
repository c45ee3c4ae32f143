import { expect, it, onTestFinished } from 'vitest';
import { KafkaProblem } from '../../../../lib/ports/kafka-requests.ts';
import type { SinkEvent } from '../../../../lib/sinks/connector.ts';
import { coordinateKafka, type KafkaClients } from '../../../../lib/sinks/kafka/coordination.ts';

const NOW = 1_000_000_000;
const LONGEST_MS = 900_000;
const scope = { job: 'job', incarnation: 'i', sinks: { write: { subtasks: 1, places: ['out'] } } };

type Open = readonly [producerId: string, since: number, ageMs?: number];
let settings = async () => new Map([['transaction.max.timeout.ms', String(LONGEST_MS)]]);

/** Looks in which the given transactions are open, by producer id and first offset; 7 and 8 are the job's. */
async function looks(...open: readonly (readonly Open[])[]) {
  let now = open[0] ?? [];
  const events: SinkEvent[] = [];
  const kafka = {
    leaders: async () => [1],
    describeProducers: async () => ({
      answer: 'NONE',
      producers: now.map(([producerId, openSince, ageMs = 0]) => ({
        ...{ partition: 0, producerId, producerEpoch: 4, openSince, lastTimestampMs: NOW - ageMs },
      })),
    }),
    describeTransactions: async (ids: readonly string[]) =>
      ids.map((transactionalId, index) => ({ transactionalId, producerId: String(7 + index) })),
    brokerConfig: () => settings(),
  };
  const clock = { elapsedMs: () => 0, now: () => NOW, sleep: async () => {} };
  const watch = coordinateKafka({ kafka, clock } as unknown as KafkaClients, { transactionTimeoutMs: 1 }).watch(scope);
  let found = false;
  for (now of open) found = await watch.look((event) => events.push(event));
  return { found, events };
}

it('what is open under an id of the job in two looks, one after the other, was left open', async () => {
  expect((await looks([['8', 3]], [['8', 3]])).found).toBe(true);
});

it('what one look shows is an epoch under way, and so is another transaction of the same id in the next', async () => {
  expect((await looks([['8', 3]])).found).toBe(false);
  expect((await looks([['8', 3]], [['8', 4]])).found).toBe(false);
  expect((await looks([['8', 3]], [], [['8', 3]])).found).toBe(false);
});

it("what other producers leave open is theirs, also beside the job's own", async () => {
  expect((await looks([['9', 3]], [['9', 3]])).found).toBe(false);
  const both = [
    ['9', 3],
    ['8', 5],
  ] as const;
  expect((await looks([['9', 3]], both)).found).toBe(false);
});

it('what was open in two looks and is not in the next was ended meanwhile', async () => {
  expect((await looks([['8', 3]], [['8', 3]], [])).found).toBe(false);
});

it('what another producer has open for longer than a transaction may be is said once, with the place and the mend', async () => {
  const { events } = await looks([['9', 3, LONGEST_MS + 1]], [['9', 3, LONGEST_MS + 1]], [['9', 3, LONGEST_MS + 1]]);
  expect(events).toEqual([
    {
      event: 'hanging-transaction',
      names: { topic: 'out', partition: 0 },
      message: expect.stringMatching(
        /in out-0 wait at offset 3: a transaction of producer 9, epoch 4, .* abort --topic out --partition 0 --start-offset 3/,
      ),
    },
  ]);
});

it("a transaction that may still be running, one that one look alone shows, and the job's own are not said", async () => {
  expect((await looks([['9', 3, LONGEST_MS]], [['9', 3, LONGEST_MS]])).events).toEqual([]);
  expect((await looks([['9', 3, LONGEST_MS + 1]])).events).toEqual([]);
  expect((await looks([['8', 3, LONGEST_MS + 1]], [['8', 3, LONGEST_MS + 1]])).events).toEqual([]);
});

it("is said by Kafka's default where the broker's settings may not be read", async () => {
  const known = settings;
  settings = () => Promise.reject(new KafkaProblem('CLUSTER_AUTHORIZATION_FAILED', 'no', false));
  onTestFinished(() => {
    settings = known;
  });
  expect((await looks([['9', 3, LONGEST_MS + 1]], [['9', 3, LONGEST_MS + 1]])).events).toHaveLength(1);
});
