import { describe, expect, it } from 'vitest';
import { doctorResult } from '../../../cli/commands/doctor.ts';
import { readToolConfig } from '../../../lib/config/read-config.ts';
import type { DoctorDeps, JobTopics } from '../../../lib/inspect/doctor/deps.ts';
import { examine } from '../../../lib/inspect/doctor/doctor.ts';
import { releaseOf } from '../../../lib/inspect/doctor/kafka-version.ts';
import type { BrokerDescription, KafkaClient, Right, TopicDescription } from '../../../lib/ports/kafka-checks.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { memoryBlobs } from '../../../lib/testing/memory-blobs.ts';
import { epochRowOf, jobRowOf, NOW } from './rows.ts';

const apis = new Map([1, 61, 65, 71, 75, 80].map((key) => [key, { min: 0, max: 9 }]));
const all = new Set<Right>(['Read', 'Write', 'Describe', 'DescribeConfigs']);
const three = { leader: 1, replicas: 3, inSync: 3 };

/** What a cluster of three brokers says, on which nothing is wrong. */
const BROKERS: readonly BrokerDescription[] = [1, 2, 3].map((id) => ({ id, address: `kafka-${id}:9092`, apis }));
const BROKER_SETTINGS = {
  'transaction.max.timeout.ms': '900000',
  'transaction.state.log.min.isr': '2',
  'offsets.retention.minutes': '10080',
};
const TOPIC_SETTINGS = {
  'unclean.leader.election.enable': 'false',
  'min.insync.replicas': '2',
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
};
const TOPICS: JobTopics = { sources: ['lines'], sinks: ['counts'], deadLetters: undefined };

interface World {
  readonly brokers?: readonly BrokerDescription[];
  readonly brokerSettings?: object;
  readonly topicSettings?: object;
  readonly topic?: Partial<TopicDescription>;
  readonly kafka?: Partial<KafkaClient>;
  readonly deps?: Partial<DoctorDeps>;
  readonly env?: Record<string, string>;
}

async function findingsOf({ brokers = BROKERS, brokerSettings, topicSettings, topic, kafka, deps, env = {} }: World = {}) {
  const described = (name: string): TopicDescription => ({
    topic: name,
    answer: 'NONE',
    partitions: [three, three],
    rights: all,
    ...topic,
  });
  const client = {
    describeBrokers: async () => brokers,
    describeTopics: async (topics: readonly string[]) => topics.map(described),
    brokerConfig: async () => new Map(Object.entries({ ...BROKER_SETTINGS, ...brokerSettings })),
    topicConfig: async () => new Map(Object.entries({ ...TOPIC_SETTINGS, ...topicSettings })),
    partitionCount: async () => 2,
    forgetLeaders: () => {},
    initProducerId: async () => ({ answer: 'NONE', producerId: '7', producerEpoch: 0 }),
    addOffsets: async () => 'NONE',
    describeTransactions: async () => [{ startedAtMs: NOW }],
    endTxn: async () => 'NONE',
    ...kafka,
  } as unknown as KafkaClient;
  const config = readToolConfig(env);
  return examine({
    job: 'word-count',
    clock: { now: () => NOW, elapsedMs: () => 0, sleep: async () => {} },
    random: { id: () => 'nonce', fraction: () => 0 },
    epochs: {
      readJob: async () => jobRowOf(),
      readEpoch: async () => epochRowOf(9),
      listEpochs: async () => [],
      renewLease: async () => 'superseded',
    } as unknown as DoctorDeps['epochs'],
    kafka: async () => client,
    blobStore: async () => memoryBlobs(),
    settings: { ...config, groupId: 'word-count' },
    topics: { ofModule: TOPICS, deadLetterTopic: undefined },
    ...deps,
  });
}

/** What is not well, in one line each. */
async function faultsOf(world: World): Promise<string[]> {
  return (await findingsOf(world))
    .filter(({ is }) => is !== 'well')
    .map(({ what, is, found, mend }) => `${is} ${what}: ${found} | ${mend}`);
}

describe('where all is well, the doctor', () => {
  it('finds nothing wrong: exit code 0', async () => {
    const findings = await findingsOf();
    expect(findings.filter(({ is }) => is !== 'well')).toEqual([]);
    expect(doctorResult('word-count', findings)).toMatchObject({
      code: 0,
      text: expect.stringMatching(
        /^ok {7}broker 1: kafka-1:9092 answers; Apache Kafka 3\.9 or later\n[\s\S]*\n\njob word-count: nothing is wrong, 0 warnings$/,
      ),
    });
  });

  it('leaves nothing behind: no blob, and the transaction is aborted', async () => {
    const blobs = memoryBlobs();
    const ended: boolean[] = [];
    await findingsOf({
      deps: { blobStore: async () => blobs },
      kafka: {
        endTxn: async (_who, commit) => {
          ended.push(commit);
          return 'NONE';
        },
      },
    });
    expect(await Array.fromAsync(blobs.list(''))).toEqual([]);
    expect(ended).toEqual([false]);
  });

  it('looks at the topics that the job has used where its module is not there', async () => {
    const asked: string[] = [];
    await findingsOf({
      deps: { topics: { ofModule: undefined, deadLetterTopic: undefined } },
      kafka: {
        describeTopics: async (topics) => {
          asked.push(...topics);
          return topics.map((name) => ({ topic: name, answer: 'NONE', partitions: [three], rights: all }));
        },
      },
    });
    expect(asked).toEqual(['lines', 'counts']);
  });
});

describe('the doctor finds', () => {
  it.each<[string, World, RegExp]>([
    [
      'a broker that does not answer',
      { brokers: [{ id: 2, address: 'kafka-2:9092', apis: { noAnswer: 'refused' } }] },
      /^wrong broker 2: it is told to be at kafka-2:9092, and does not answer from here: refused \| start it, or correct its advertised.listeners/,
    ],
    [
      'a broker that is too old',
      { brokers: [{ id: 2, address: 'kafka-2:9092', apis: new Map() }] },
      /^wrong broker 2: .* is older than Apache Kafka 2\.8/,
    ],
    [
      'a right on the cluster that is missing',
      { kafka: { brokerConfig: () => Promise.reject(new KafkaProblem('CLUSTER_AUTHORIZATION_FAILED', 'refused', false)) } },
      /^wrong rights on the cluster: DescribeConfigs is missing \| grant/,
    ],
    [
      'rights on a topic that brokers do not tell',
      { topic: { rights: undefined } },
      /^unknown rights on topic lines \(source\): the brokers do not say/,
    ],
    [
      'a time budget that the brokers do not allow',
      { brokerSettings: { 'transaction.max.timeout.ms': '60000' } },
      /^wrong time budget: .*lower ONCEFLOW_TRANSACTION_TIMEOUT_MS, or raise transaction\.max\.timeout\.ms/s,
    ],
    [
      'a transaction log that one broker takes with it',
      { brokerSettings: { 'transaction.state.log.min.isr': '1' } },
      /^wrong transaction log: .* with 3 brokers/,
    ],
    ['group offsets that go soon', { brokerSettings: { 'offsets.retention.minutes': '60' } }, /^warning group offsets: .*\(1 h\) \| raise/],
    [
      'a topic that is not there',
      { topic: { answer: 'UNKNOWN_TOPIC_OR_PARTITION' } },
      /^wrong topic lines \(source\): it does not exist \| create it/,
    ],
    [
      'a topic that may not be seen',
      { topic: { answer: 'TOPIC_AUTHORIZATION_FAILED' } },
      /^wrong topic lines \(source\): it may not be seen/,
    ],
    ['a partition without a leader', { topic: { partitions: [three, { ...three, leader: -1 }] } }, /^wrong .*: partition 1 has no leader/],
    [
      'replicas that are not in sync',
      { topic: { partitions: [{ ...three, inSync: 2 }] } },
      /^warning .*: not all replicas of partition 0 are in sync/,
    ],
    [
      'a right on a topic that is missing',
      { topic: { rights: new Set(['Describe']) } },
      /^wrong rights on topic lines \(source\): Read is missing \| grant Read on topic lines/,
    ],
    [
      'leaders that may forget',
      { topicSettings: { 'unclean.leader.election.enable': 'true' } },
      /^wrong settings of topic lines .*\| set unclean\.leader\.election\.enable=false/,
    ],
    [
      'records that one broker acknowledges',
      { topicSettings: { 'min.insync.replicas': '1' } },
      /^wrong settings of topic counts \(sink\): min\.insync\.replicas=1/,
    ],
    [
      'a topic that nothing can be written to',
      { topicSettings: { 'min.insync.replicas': '4' } },
      /^wrong settings of topic counts .*: nothing can be written/,
    ],
    [
      'records that go soon',
      { topicSettings: { 'retention.ms': '60000' } },
      /^warning settings of topic lines .*\(1 min\): a job that rests for longer/,
    ],
    [
      'a transactional id that may not be used',
      { kafka: { initProducerId: async () => ({ answer: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', producerId: '-1', producerEpoch: -1 }) } },
      /^wrong transaction: .*\| grant Write on the transactional ids with the prefix word-count-$/,
    ],
    [
      'a group that may not be used',
      { kafka: { addOffsets: async () => 'GROUP_AUTHORIZATION_FAILED' } },
      /^warning group word-count: .*\| grant READ on group word-count/,
    ],
    [
      'a clock that is far ahead',
      { kafka: { describeTransactions: async () => [{ startedAtMs: NOW + 40_000 }] as never } },
      /^wrong clock: the broker's is 40000 ms ahead of this machine's.*\| set both clocks/,
    ],
    [
      'a clock that is a little behind',
      { kafka: { describeTransactions: async () => [{ startedAtMs: NOW - 2_000 }] as never } },
      /^warning clock: the broker's is 2000 ms behind this machine's/,
    ],
    [
      'a table that may not be written to',
      {
        deps: {
          epochs: {
            readJob: async () => jobRowOf(),
            readEpoch: async () => epochRowOf(9),
            listEpochs: async () => [],
            renewLease: () => Promise.reject(new StoreProblem('give the role dynamodb:UpdateItem', false)),
          } as never,
        },
      },
      /^wrong table: give the role dynamodb:UpdateItem/,
    ],
    [
      'a blob store that cannot be reached',
      { deps: { blobStore: () => Promise.reject(new StoreProblem('no such bucket; create it', false)) } },
      /^wrong blobs: no such bucket; create it/,
    ],
  ])('%s', async (_what, world, fault) => {
    const faults = await faultsOf(world);
    expect(
      faults.find((each) => fault.test(each)),
      faults.join('\n'),
    ).toBeDefined();
  });

  it('brokers that cannot be reached, once, and looks at table and blobs all the same', async () => {
    const findings = await findingsOf({
      deps: { kafka: () => Promise.reject(new KafkaProblem('NO_ANSWER', 'no answer from b:9092', true)) },
    });
    expect(findings.map(({ what, is }) => `${what} ${is}`)).toEqual(['brokers wrong', 'table well', 'blobs well']);
  });

  it('good for a machine of its own what one broker has, with a warning', async () => {
    const one = { leader: 1, replicas: 1, inSync: 1 };
    const faults = await faultsOf({
      brokers: BROKERS.slice(0, 1),
      brokerSettings: { 'transaction.state.log.min.isr': '1' },
      topic: { partitions: [one] },
      topicSettings: { 'min.insync.replicas': '1' },
    });
    expect(faults).toEqual([
      expect.stringMatching(/^warning transaction log: .*good for a machine of your own/),
      expect.stringMatching(/^warning settings of topic counts \(sink\): a partition has one replica: good for a machine of your own/),
    ]);
  });

  it('does not hide a defect of its own', async () => {
    await expect(findingsOf({ deps: { blobStore: () => Promise.reject(new TypeError('a defect')) } })).rejects.toThrow('a defect');
  });
});

it('what the doctor finds wrong is printed with its mend: exit code 1', () => {
  const findings = [
    { what: 'topic lines (source)', is: 'wrong', found: 'it does not exist', mend: 'create it' },
    { what: 'clock', is: 'unknown', found: 'nobody says' },
  ] as const;
  expect(doctorResult('j', findings)).toEqual({
    code: 1,
    json: { job: 'j', wrong: 1, warnings: 0, unknown: 1, findings },
    text: 'WRONG    topic lines (source): it does not exist\n         mend: create it\nunknown  clock: nobody says\n\njob j: 1 thing is wrong, 0 warnings, 1 could not be seen',
  });
});

it.each([
  [[1, 61], '2.8'],
  [[1, 61, 65], '3.0'],
  [[1, 61, 65, 71, 75, 80], '3.9'],
  [[1], undefined],
])('a broker with the requests %j is of release %s or later', (keys, release) => {
  expect(releaseOf(new Map(keys.map((key) => [key, { min: 0, max: 1 }])))).toBe(release);
});

it('a broker that has no requests of old clients any more is of release 4.0 or later', () => {
  expect(releaseOf(new Map([[1, { min: 4, max: 17 }]]))).toBe('4.0');
});
