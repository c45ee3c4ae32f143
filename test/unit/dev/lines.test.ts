import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { linesOf, sendLines } from '../../../dev/input.ts';
import { lineInput } from '../../../dev/line-input.ts';
import { followOutput } from '../../../dev/output.ts';
import { ensureTopics } from '../../../dev/topics.ts';
import { systemClock } from '../../../host/system.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { Dice } from '../../simulation/kernel/dice.ts';
import { Broker } from '../../simulation/models/kafka-broker.ts';
import { type Carry, modelKafka } from '../../simulation/models/kafka-requests.ts';

/** Kafka as the simulation has it, which carries every request out at once; and the making of topics. */
function kafkaWith(topics: Readonly<Record<string, number>>) {
  const dice = new Dice(1);
  const carry: Carry = async (_api, _about, _failure, execute) => execute(dice);
  const nowMs = () => 1_000;
  const broker = new Broker({ nowMs, later: () => {}, markerDelayMs: () => 1, shuffled: (items) => [...items], timeoutScanMs: 500 });
  for (const [topic, partitions] of Object.entries(topics)) broker.createTopic(topic, partitions);
  const made: string[] = [];
  const model = modelKafka(broker, carry, { broker: new Map(), topic: new Map(), nowMs });
  return {
    made,
    ...model,
    // A broker takes its time: one that answered at once would leave none to anybody else.
    fetch: async (...of: Parameters<typeof model.fetch>) => {
      await setImmediate();
      return model.fetch(...of);
    },
    createTopic: async (topic: string, partitions: number) => {
      broker.createTopic(topic, partitions);
      made.push(`${topic} ${partitions}`);
      return 'created' as const;
    },
  };
}

const read = async (chunks: readonly string[], skipEmpty: boolean) => {
  const lines: string[][] = [];
  for await (const some of linesOf(Readable.from(chunks), skipEmpty)) lines.push([...some]);
  return lines;
};

it('lines are what stands between line ends, also across pieces; the last one needs none', async () => {
  expect(await read(['one\ntw', 'o\r\n\nthr', 'ee'], false)).toEqual([['one'], ['two', ''], ['three']]);
  expect(await read(['\n', 'one\n\n'], true)).toEqual([['one']]);
  expect(await read([], false)).toEqual([]);
});

it('what is written to a topic is what a committed reader is shown, from where it was when the reader began', async () => {
  const kafka = kafkaWith({ lines: 2 });
  const input = {
    kafka,
    clock: systemClock,
    route: (value: string) => ({ topic: 'lines', value }),
    say: (line: string) => shown.push(`said: ${line}`),
  };
  const shown: string[] = [];
  expect(await sendLines(input, Readable.from([['before']]))).toBe(true);
  const output = followOutput({ kafka, clock: systemClock, show: (line) => shown.push(line), json: false });
  await output.follow(['lines']);
  expect(await sendLines(input, Readable.from([['hello world', ''], ['grüße']]))).toBe(true);
  await output.caughtUp();
  await output.close();
  expect(shown.toSorted()).toEqual(['', 'grüße', 'hello world']);
});

it('a record in JSON is one line, whatever is in it', async () => {
  const shown: string[] = [];
  const kafka = kafkaWith({ lines: 1 });
  const output = followOutput({ kafka, clock: systemClock, show: (line) => shown.push(line), json: true });
  await output.follow(['lines']);
  expect(
    await sendLines(
      { kafka, clock: systemClock, route: (value: string) => ({ topic: 'lines', value }), say: () => {} },
      Readable.from([['a "b"\tc']]),
    ),
  ).toBe(true);
  await output.caughtUp();
  await output.close();
  expect(shown.map((line) => JSON.parse(line))).toEqual([{ topic: 'lines', key: null, value: 'a "b"\tc' }]);
});

it('what is not written is said, and counts', async () => {
  const said: string[] = [];
  const kafka = { ...kafkaWith({ lines: 1 }), produce: async () => ({ answer: 'TOPIC_AUTHORIZATION_FAILED', baseOffsets: [-1] }) };
  const input = {
    kafka,
    clock: systemClock,
    route: (value: string) => ({ topic: 'lines', value }),
    say: (line: string) => said.push(line),
  };
  expect(await sendLines(input, Readable.from([['one'], ['two', 'three']]))).toBe(false);
  expect(said).toEqual([
    'the line was not written to topic lines: TOPIC_AUTHORIZATION_FAILED',
    '2 lines were not written to topic lines: TOPIC_AUTHORIZATION_FAILED',
  ]);
});

it('of several sources a line names its own before a tab, each topic has its lines in their order, and the others are said', async () => {
  const [kafka, shown, said] = [kafkaWith({ orders: 1, rates: 1 }), [] as string[], [] as string[]];
  const output = followOutput({ kafka, clock: systemClock, show: (line) => shown.push(line), json: false });
  await output.follow(['orders', 'rates']);
  const { route, says } = lineInput(
    [
      { uid: 'read-orders', topic: 'orders' },
      { uid: 'read-rates', topic: 'rates' },
    ],
    undefined,
  );
  expect(says).toBe('several sources: a line that you type begins with its own and a tab: read-orders, read-rates');
  const lines = Readable.from([
    ['read-orders\ta', 'read-rates\t1\t2', 'read-orders\tb'],
    ['order\tc', 'd'],
  ]);
  expect(await sendLines({ kafka, clock: systemClock, route, say: (line) => said.push(line) }, lines)).toBe(false);
  await output.caughtUp();
  await output.close();
  expect(shown.toSorted()).toEqual(['orders: a', 'orders: b', 'rates: 1\t2']);
  expect(said).toEqual([expect.stringMatching(/^2 lines were not written anywhere: .* "order\\tc"$/)]);
});

it('topics that are missing are made where that was asked for, and otherwise named with what to do', async () => {
  const kafka = kafkaWith({ lines: 2 });
  const topics = ['lines', 'counts', 'late', 'counts'];
  await expect(ensureTopics(kafka, systemClock, { topics, makeWith: undefined })).rejects.toThrow(
    'topics counts, late are not there: make them, or have it done with --create-topics',
  );
  expect(kafka.made).toEqual([]);
  expect(await ensureTopics(kafka, systemClock, { topics, makeWith: { partitions: 4 } })).toEqual(['counts', 'late']);
  expect(kafka.made).toEqual(['counts 4', 'late 4']);
  expect(await ensureTopics(kafka, systemClock, { topics, makeWith: { partitions: 4 } })).toEqual([]);
});

it('brokers that are not there are a wrong setting of who started it', async () => {
  const nobody = { ...kafkaWith({}), partitionCount: () => Promise.reject(new KafkaProblem('NO_ANSWER', 'no answer from here:1', true)) };
  await expect(ensureTopics(nobody, systemClock, { topics: ['lines'], makeWith: undefined })).rejects.toMatchObject({
    name: 'UsageError',
    message: 'no answer from here:1',
  });
});
