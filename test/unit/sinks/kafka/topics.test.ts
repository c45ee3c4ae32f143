import { describe, expect, it } from 'vitest';
import type { KafkaRequests } from '../../../../lib/ports/kafka-requests.ts';
import { learnTopics, maxBatchBytes } from '../../../../lib/sinks/kafka/topics.ts';

const CONFIG = new Map([
  ['max.message.bytes', '10000'],
  ['cleanup.policy', 'compact,delete'],
  ['retention.ms', '1'],
]);

/** Of a sink of topic `out`, or of these, whose settings these are. */
function learnt(topic: ReadonlyMap<string, string>, broker: ReadonlyMap<string, string> = new Map(), topics = ['out']) {
  const kafka = {
    forgetLeaders: () => {},
    partitionCount: async () => 3,
    topicConfig: async (_topic: string, names: readonly string[]) => new Map([...topic].filter(([name]) => names.includes(name))),
    brokerConfig: async (names: readonly string[]) => new Map([...broker].filter(([name]) => names.includes(name))),
  } as unknown as KafkaRequests;
  const target = { kind: 'kafka', topics } as const;
  return learnTopics(kafka, [{ sink: 'write', target }]);
}

describe("what a start asks of a sink's topic", () => {
  it('is how many partitions it has, the largest batch that it takes, and whether it is compacted', async () => {
    expect(await learnt(CONFIG)).toEqual({
      outcome: 'learnt',
      facts: { write: { topics: [{ topic: 'out', partitions: 3, maxBatchBytes: 10_000 - 1_024, compacted: true }] } },
    });
  });

  it("is Kafka's defaults where the broker says nothing", async () => {
    expect(await learnt(new Map())).toMatchObject({
      facts: { write: { topics: [{ maxBatchBytes: 1_048_588 - 1_024, compacted: false }] } },
    });
  });
});

it('brokers that take smaller requests than output is sent in are refused, with the setting', async () => {
  expect(await learnt(CONFIG, new Map([['socket.request.max.bytes', '300000']]))).toEqual({
    outcome: 'refused',
    message: expect.stringMatching(/requests of 300000 bytes at most \(socket\.request\.max\.bytes\), .*: raise it/),
  });
});

it('a batch is no larger than the brokers take, where the topic would take more', async () => {
  const large = new Map([['max.message.bytes', '400000000']]);
  const [own, none] = [await learnt(large, new Map([['socket.request.max.bytes', '50000000']])), await learnt(large)];
  expect(own).toMatchObject({ facts: { write: { topics: [{ maxBatchBytes: 50_000_000 - 4_096 }] } } });
  expect(none).toMatchObject({ facts: { write: { topics: [{ maxBatchBytes: 104_857_600 - 4_096 }] } } });
});

it('is asked of each topic of a sink of several, and told in their order', async () => {
  expect(await learnt(CONFIG, new Map(), ['b', 'a', 'c'])).toMatchObject({
    facts: { write: { topics: [{ topic: 'b' }, { topic: 'a' }, { topic: 'c' }] } },
  });
});

describe('the largest batch', () => {
  const MB = 1024 * 1024;
  it.each([
    ["a little below the topic's limit", 10_000, 100 * MB, 10_000 - 1_024],
    ['a part of a limit that is small', 800, 100 * MB, 700],
    ['one that no record fits into, where the topic takes nothing', 0, 100 * MB, 1],
    ['what fits into a request of the broker, where the topic would take more', 300 * MB, 100 * MB, 100 * MB - 4_096],
  ])('is %s', (_what, maxMessageBytes, maxRequestBytes, expected) => {
    expect(maxBatchBytes(maxMessageBytes, maxRequestBytes)).toBe(expected);
  });
});
