import {
  type FetchedPartition,
  type InspectionRequests,
  type KafkaAnswer,
  KafkaProblem,
  type KafkaRequests,
} from '../../../lib/ports/kafka-requests.ts';
import type { Dice } from '../kernel/dice.ts';
import type { Failure } from '../kernel/network.ts';
import type { Broker } from './kafka-broker.ts';

/** Carries one request to the broker and its answer back; what goes wrong on the way is its business. */
export type Carry = <T>(api: string, about: string, failure: Failure<T>, execute: (stale: boolean, dice: Dice) => T) => Promise<T>;

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
  },
): KafkaRequests & InspectionRequests {
  const problem = (code: KafkaAnswer) => new KafkaProblem(code, `the model answered ${code}`, true);
  const throwing = <T>(errors: readonly string[]): Failure<T> => ({
    lost: () => {
      throw problem('NO_ANSWER');
    },
    error: (dice) => {
      throw problem(dice.pick(errors));
    },
  });
  const partitionsOf = (topic: string) => {
    const partitions = broker.topics.get(topic);
    if (partitions === undefined) throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} does not exist`, false);
    return partitions;
  };
  return {
    initProducerId: (id, timeoutMs) => {
      const none = (answer: KafkaAnswer) => ({ answer, producerId: '-1', producerEpoch: -1 });
      return carry('initProducerId', id, { lost: () => none('NO_ANSWER'), error: (dice) => none(dice.pick(COORDINATOR_ERRORS)) }, () =>
        broker.initProducerId(id, timeoutMs),
      );
    },
    addPartitions: (who, partitions) => carry('addPartitions', who.transactionalId, answering, () => broker.addPartitions(who, partitions)),
    addOffsets: (who, group) => carry('addOffsets', who.transactionalId, answering, () => broker.addOffsets(who, group)),
    txnOffsetCommit: (who, group, marker) =>
      carry(
        'txnOffsetCommit',
        `${who.transactionalId} = ${marker.offset}`,
        { ...answering, error: (dice) => dice.pick(GROUP_ERRORS) },
        () => broker.txnOffsetCommit(who, group, marker),
      ),
    produce(who, leader, batches) {
      // Taken now, as a socket would: the caller may reuse its buffers only after the answer, but nobody checks that.
      const sent = batches.map((each) => ({ ...each, batch: Buffer.from(each.batch) }));
      const about = `${who?.transactionalId ?? 'plain'} ${batches.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')}`;
      return carry('produce', about, { ...answering, error: (dice) => dice.pick(LEADER_ERRORS), connection: `produce ${leader}` }, () =>
        broker.produce(who, leader, sent),
      );
    },
    endTxn: (who, commit) =>
      carry(commit ? 'commit' : 'abort', `${who.transactionalId} ${who.producerId}/${who.producerEpoch}`, answering, () =>
        broker.endTxn(who, commit),
      ),
    offsetFetch: (group, where, requireStable) => {
      const none = (answer: KafkaAnswer) => ({ answer, offset: undefined, metadata: '' });
      const failure = { lost: () => none('NO_ANSWER'), error: (dice: Dice) => none(dice.pick(GROUP_ERRORS)) };
      return carry(requireStable ? 'offsetFetch stable' : 'offsetFetch', group, failure, (stale) =>
        broker.offsetFetch(group, where, requireStable, stale),
      );
    },
    describeProducers: (leader, topic, partitions) => {
      const none = (answer: KafkaAnswer) => ({ answer, producers: [] });
      const failure = { lost: () => none('NO_ANSWER'), error: (dice: Dice) => none(dice.pick(LEADER_ERRORS)) };
      return carry('describeProducers', `${topic}-${partitions.join(',')}`, failure, () =>
        broker.describeProducers(leader, topic, partitions),
      );
    },
    // Known from metadata that a client keeps: no request.
    leaders: (topic) => Promise.resolve(partitionsOf(topic).map(({ leader }) => leader)),
    forgetLeaders: () => {},

    partitionCount: (topic) => Promise.resolve(partitionsOf(topic).length),
    offsets: (topic, partitions, at) =>
      carry('offsets', `${topic} ${at}`, throwing(LEADER_ERRORS), () =>
        partitions.map((number) => {
          const partition = partitionsOf(topic)[number];
          return (at === 'earliest' ? partition?.logStart : partition?.lastStableOffset) ?? 0;
        }),
      ),
    offsetsAtTime: (topic, partitions, timestampMs) =>
      carry('offsetsAtTime', `${topic} ${timestampMs}`, throwing(LEADER_ERRORS), () =>
        partitions.map((number) => partitionsOf(topic)[number]?.offsetAtTime(timestampMs)),
      ),
    fetch: (ranges) => {
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
      return carry('fetch', ranges.map(({ topic, partition, offset }) => `${topic}-${partition}@${offset}`).join(', '), failure, () =>
        ranges.map((range) => broker.fetch(range)),
      );
    },

    groupOffsets: (group, topic, partitions) =>
      carry('groupOffsets', group, throwing(GROUP_ERRORS), () =>
        partitions.map((partition) => broker.offsetFetch(group, { topic, partition }, false).offset),
      ),
    commitGroupOffsets: (group, topic, offsets) =>
      carry('commitGroupOffsets', group, { lost: () => 'NO_ANSWER', error: (dice) => dice.pick(GROUP_ERRORS) }, () =>
        broker.commitGroupOffsets(group, topic, offsets),
      ),
    brokerConfig: (names) =>
      carry(
        'brokerConfig',
        names.join(', '),
        throwing(LEADER_ERRORS),
        () => new Map([...config.broker].filter(([name]) => names.includes(name))),
      ),
    topicConfig: (topic, names) =>
      carry('topicConfig', topic, throwing(LEADER_ERRORS), () => new Map([...config.topic].filter(([name]) => names.includes(name)))),
    describeTransactions: (ids) =>
      carry('describeTransactions', ids.join(', '), throwing(COORDINATOR_ERRORS), () => ids.map((id) => broker.describeTransaction(id))),
    close: () => Promise.resolve(),
  };
}
