import { describe, expect, it } from 'vitest';
import { clientOfClusters } from '../../../lib/kafka/clusters.ts';
import type { KafkaClient } from '../../../lib/ports/kafka-checks.ts';
import { KafkaProblem, type TopicRequests } from '../../../lib/ports/kafka-requests.ts';

type Client = KafkaClient & TopicRequests;

/** A cluster that notes what it is asked, and answers as one of its name. */
function clusters() {
  const asked: string[] = [];
  const client = (name: string, offset: number) =>
    new Proxy({} as Client, {
      get: (_target, request: string) => {
        if (request === 'then') return undefined;
        return (...args: unknown[]) => {
          asked.push(`${name}: ${request} ${JSON.stringify(args)}`);
          if (request === 'fetch')
            return Promise.resolve(
              (args[0] as { topic: string; partition: number }[]).map(({ topic, partition }) => ({
                topic,
                partition,
                highWatermark: offset,
              })),
            );
          if (request === 'describeTransactions')
            return Promise.resolve(
              (args[0] as string[]).map((transactionalId) => ({
                transactionalId,
                producerId: String(offset),
                partitions: [{ topic: 'out', partition: 0 }],
              })),
            );
          if (request === 'describeTopics') return Promise.resolve((args[0] as string[]).map((topic) => ({ topic, answer: name })));
          if (request === 'partitionCount' && args[0] === 'gone')
            return Promise.reject(new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', 'topic gone', false));
          return Promise.resolve(`${name} answers ${request}`);
        };
      },
    });
  const kafka = clientOfClusters(
    new Map([
      ['', client('first', 1)],
      ['orders', client('orders', 2)],
    ]),
  );
  return { kafka, asked };
}

describe('requests of several clusters', () => {
  it.each<[string, (kafka: Client) => unknown, string]>([
    ['of a topic', (kafka) => kafka.partitionCount('orders/clicks'), 'orders: partitionCount ["clicks"]'],
    ['of a topic without a cluster', (kafka) => kafka.partitionCount('clicks'), 'first: partitionCount ["clicks"]'],
    ['of a transactional id', (kafka) => kafka.initProducerId('orders/job-0', 5), 'orders: initProducerId ["job-0",5]'],
    [
      'of a transaction',
      (kafka) =>
        kafka.addPartitions({ transactionalId: 'orders/job-0', producerId: '7', producerEpoch: 1 }, [
          { topic: 'orders/out', partition: 2 },
        ]),
      'orders: addPartitions [{"transactionalId":"job-0","producerId":"7","producerEpoch":1},[{"topic":"out","partition":2}]]',
    ],
    [
      'of batches outside of a transaction',
      (kafka) => kafka.produce(undefined, 3, [{ topic: 'orders/out', partition: 1, batch: new Uint8Array() }]),
      'orders: produce [null,3,[{"topic":"out","partition":1,"batch":{}}]]',
    ],
    [
      'of the end of one',
      (kafka) => kafka.endTxn({ transactionalId: 'orders/id', producerId: '7', producerEpoch: 1 }, true),
      'orders: endTxn [{"transactionalId":"id","producerId":"7","producerEpoch":1},true]',
    ],
    [
      "of a group's offsets, which are where the topic is",
      (kafka) => kafka.commitGroupOffsets('group', 'orders/in', [], ''),
      'orders: commitGroupOffsets ["group","in",[],""]',
    ],
    ['of settings', (kafka) => kafka.brokerConfig(['a'], 'orders'), 'orders: brokerConfig [["a"]]'],
    ['of settings of the first', (kafka) => kafka.brokerConfig(['a']), 'first: brokerConfig [["a"]]'],
    ['of who leads', (kafka) => kafka.leaders('orders/out', 3), 'orders: leaders ["out",3]'],
    ['of what is open', (kafka) => kafka.describeProducers(0, 'orders/out', [1]), 'orders: describeProducers [0,"out",[1]]'],
  ])('%s go to its cluster, by the name that it has there', async (_what, ask, expected) => {
    const { kafka, asked } = clusters();
    await ask(kafka);
    expect(asked).toEqual([expected]);
  });

  it('of several are split, and answered in their order, by the names that they were asked by', async () => {
    const { kafka } = clusters();
    const ranges = ['b', 'orders/a', 'a'].map((topic) => ({ topic, partition: 0, offset: 0, maxBytes: 1 }));
    const fetched = await kafka.fetch(ranges, { maxBytes: 1, maxWaitMs: 0, minBytes: 0 });
    expect(fetched.map(({ topic, highWatermark }) => `${topic} ${highWatermark}`)).toEqual(['b 1', 'orders/a 2', 'a 1']);
    const described = await kafka.describeTransactions(['orders/id', 'id']);
    expect(described.map(({ transactionalId, producerId, partitions }) => [transactionalId, producerId, partitions[0]?.topic])).toEqual([
      ['orders/id', '2', 'orders/out'],
      ['id', '1', 'out'],
    ]);
    expect((await kafka.describeTopics(['orders/a', 'a'])).map(({ topic, answer }) => `${topic} ${answer}`)).toEqual([
      'orders/a orders',
      'a first',
    ]);
  });

  it('that fail say of which cluster; one that nobody configured says which variable is missing', async () => {
    const { kafka } = clusters();
    await expect(kafka.partitionCount('orders/gone')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: 'cluster orders: topic gone',
    });
    await expect(kafka.partitionCount('gone')).rejects.toMatchObject({ message: 'topic gone' });
    await expect(kafka.initProducerId('old-one/id', 5)).rejects.toMatchObject({
      code: 'UNKNOWN_CLUSTER',
      retriable: false,
      message: expect.stringContaining('set ONCEFLOW_KAFKA_OLD_ONE_BROKERS'),
    });
  });
});
