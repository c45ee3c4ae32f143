import {
  type FetchedPartition,
  type InspectionRequests,
  type KafkaAnswer,
  KafkaProblem,
  type KafkaRequests,
  type ProduceAnswer,
} from '../../../lib/ports/kafka-requests.ts';
import type { Dice } from '../kernel/dice.ts';
import type { Failure } from '../kernel/network.ts';
import type { Broker } from './kafka-broker.ts';
import { Metadata } from './metadata.ts';

/** Carries one request to the broker and its answer back; what goes wrong on the way is its business. */
export type Carry = <T>(api: string, about: string, failure: Failure<T>, execute: (dice: Dice) => T) => Promise<T>;

const COORDINATOR_ERRORS = [
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'UNKNOWN_SERVER_ERROR',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
];
const LEADER_ERRORS = ['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_SERVER_ERROR', 'REQUEST_TIMED_OUT'];
const GROUP_ERRORS = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS'];

const answering: Failure<KafkaAnswer> = { lost: () => 'NO_ANSWER', error: (dice) => dice.pick(COORDINATOR_ERRORS) };

/** The engine's Kafka port on the model. */
export function modelKafka(
  broker: Broker,
  carry: Carry,
  config: {
    readonly broker: ReadonlyMap<string, string>;
    readonly topic: ReadonlyMap<string, string>;
    readonly nowMs: () => number;
    /** @default never */
    readonly asksLate?: () => boolean;
    /** The time that it takes to be told who leads, which is asked each time while a partition has no leader. @default none */
    readonly asking?: () => Promise<void>;
  },
): KafkaRequests & InspectionRequests {
  const metadata = new Metadata(broker, config.nowMs, config.asksLate);
  const problem = (code: KafkaAnswer) => new KafkaProblem(code, `the model answered ${code}`, true);
  const throwing = <T>(errors: readonly string[]): Failure<T> => ({
    lost: () => {
      throw problem('NO_ANSWER');
    },
    error: (dice) => {
      throw problem(dice.pick(errors));
    },
  });
  const leadersOf = (topic: string, partitions: readonly number[]) => {
    const leaders = metadata.leaders(topic, Math.max(-1, ...partitions) + 1);
    return partitions.map((partition) => leaders[partition]);
  };
  return {
    initProducerId: (id, timeoutMs) => {
      const none = (answer: KafkaAnswer) => ({ answer, producerId: '-1', producerEpoch: -1 });
      return carry('initProducerId', id, { lost: () => none('NO_ANSWER'), error: (dice) => none(dice.pick(COORDINATOR_ERRORS)) }, () =>
        broker.transactions.initProducerId(id, timeoutMs),
      );
    },
    addPartitions: (who, partitions) =>
      carry('addPartitions', who.transactionalId, answering, () => broker.transactions.addPartitions(who, partitions)),
    produce(who, leader, batches) {
      // Taken now, as a socket would: the caller may reuse its buffers only after the answer, but nobody checks that.
      const sent = batches.map((each) => ({ ...each, batch: Buffer.from(each.batch) }));
      const about = `${who?.transactionalId ?? 'plain'} ${batches.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')}`;
      const none = (answer: KafkaAnswer): ProduceAnswer => ({ answer, baseOffsets: batches.map(() => -1) });
      const failure = { lost: () => none('NO_ANSWER'), error: (dice: Dice) => none(dice.pick(LEADER_ERRORS)) };
      return carry('produce', about, { ...failure, connection: `produce ${leader}` }, () => broker.produce(who, leader, sent));
    },
    endTxn: (who, commit) =>
      carry(commit ? 'commit' : 'abort', `${who.transactionalId} ${who.producerId}/${who.producerEpoch}`, answering, () =>
        broker.transactions.endTxn(who, commit),
      ),
    offsetFetch: (group, where) => {
      const none = (answer: KafkaAnswer) => ({ answer, offset: undefined });
      const failure = { lost: () => none('NO_ANSWER'), error: (dice: Dice) => none(dice.pick(GROUP_ERRORS)) };
      return carry('offsetFetch', group, failure, () => broker.groups.fetch(group, where));
    },
    describeProducers: (leader, topic, partitions) => {
      const none = (answer: KafkaAnswer) => ({ answer, producers: [] });
      const failure = { lost: () => none('NO_ANSWER'), error: (dice: Dice) => none(dice.pick(LEADER_ERRORS)) };
      return carry('describeProducers', `${topic}-${partitions.join(',')}`, failure, () =>
        broker.reads.describeProducers(leader, topic, partitions),
      );
    },
    async leaders(topic, seen) {
      const leaders = metadata.leaders(topic, seen);
      if (leaders.includes(-1)) await config.asking?.();
      return leaders;
    },
    forgetLeaders: (topic) => metadata.forget(topic),

    partitionCount: async (topic) => metadata.leaders(topic).length,
    topicId: async (topic, asked = 'as-known') => metadata.topicId(topic, asked),
    offsets: async (topic, partitions, at) => {
      const leaders = leadersOf(topic, partitions);
      try {
        return await carry('offsets', `${topic} ${at}`, throwing(LEADER_ERRORS), () =>
          partitions.map((number, index) => {
            const offset = broker.reads.offset(topic, number, leaders[index], at);
            if (typeof offset === 'string') throw problem(offset);
            return offset;
          }),
        );
      } catch (error) {
        metadata.forget(topic);
        throw error;
      }
    },
    offsetsAtTime: (topic, partitions, timestampMs) =>
      carry('offsetsAtTime', `${topic} ${timestampMs}`, throwing(LEADER_ERRORS), () =>
        partitions.map((number) => broker.partition(topic, number)?.offsetAtTime(timestampMs)),
      ),
    fetch: async (ranges, limits) => {
      const led = ranges.map((range) => ({ ...range, leader: leadersOf(range.topic, [range.partition])[0] }));
      const failed = (answer: KafkaAnswer): FetchedPartition[] =>
        ranges.map(({ topic, partition }) => ({
          topic,
          partition,
          answer,
          logStartOffset: -1,
          highWatermark: -1,
          lastStableOffset: -1,
          aborted: [],
          records: Buffer.alloc(0),
        }));
      const failure = { lost: () => failed('NO_ANSWER'), error: (dice: Dice) => failed(dice.pick(LEADER_ERRORS)) };
      // What a source asks for and what is looked for behind a transaction are told apart by where they begin.
      const api = limits.isolation === 'read_uncommitted' ? 'search' : limits.minBytes === 0 ? 'look' : 'fetch';
      const about = ranges.map(({ topic, partition, offset }) => `${topic}-${partition}@${offset}`).join(', ');
      const fetched = await carry(api, about, failure, () => broker.reads.fetch(led, limits));
      for (const { topic, answer } of fetched) metadata.heard(topic, answer);
      return fetched;
    },

    groupOffsets: (group, topic, partitions) =>
      carry('groupOffsets', group, throwing(GROUP_ERRORS), () =>
        partitions.map((partition) => broker.groups.offset(group, { topic, partition })),
      ),
    commitGroupOffsets: (group, topic, offsets, metadata) =>
      carry('commitGroupOffsets', group, { lost: () => 'NO_ANSWER', error: (dice) => dice.pick(GROUP_ERRORS) }, () =>
        broker.groups.commit(group, topic, offsets, metadata),
      ),
    brokerConfig: (names) =>
      carry(
        'brokerConfig',
        names.join(', '),
        throwing(LEADER_ERRORS),
        () => new Map([...config.broker].filter(([name]) => names.includes(name))),
      ),
    topicConfig: (topic, names) =>
      carry('topicConfig', topic, throwing(LEADER_ERRORS), () => {
        if (!broker.topics.has(topic)) throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} does not exist`, false);
        return new Map([...config.topic].filter(([name]) => names.includes(name)));
      }),
    describeTransactions: (ids) =>
      carry('describeTransactions', ids.join(', '), throwing(COORDINATOR_ERRORS), () => ids.map((id) => broker.transactions.describe(id))),
    close: () => Promise.resolve(),
  };
}
