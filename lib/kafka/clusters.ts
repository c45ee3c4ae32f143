import { clusterOf, clusterPrefix, inCluster, nameInCluster } from '../config/clusters.ts';
import type { KafkaClient } from '../ports/kafka-checks.ts';
import {
  type FetchedPartition,
  KafkaProblem,
  type ProducerIdentity,
  type TopicPartition,
  type TopicRequests,
} from '../ports/kafka-requests.ts';

type Client = KafkaClient & TopicRequests;

/**
 * The clients of several clusters as one: each request goes to the cluster that its topic, or its transactional id, is of, by the name that it
 * has there. What a cluster answers, or fails with, is called by its name.
 *
 * @param clusters by name; the one without a name is ''
 */
export function clientOfClusters(clusters: ReadonlyMap<string, Client>): Client {
  const clientOf = (cluster: string): Client => {
    const found = clusters.get(cluster);
    if (found !== undefined) return found;
    throw new KafkaProblem(
      'UNKNOWN_CLUSTER',
      `cluster ${cluster} is not known here: set ${clusterPrefix(cluster)}_BROKERS, which the job needs also for what was decided before`,
      false,
    );
  };
  /** Asks the cluster of a topic, or of an id. */
  const at = async <T>(place: string, ask: (client: Client, name: string) => T | Promise<T>): Promise<T> => {
    const cluster = clusterOf(place);
    try {
      return await ask(clientOf(cluster), nameInCluster(place));
    } catch (error) {
      if (cluster === '' || !(error instanceof KafkaProblem) || error.code === 'UNKNOWN_CLUSTER') throw error;
      throw new KafkaProblem(error.code, `cluster ${cluster}: ${error.message}`, error.retriable, { cause: error });
    }
  };
  const own = (who: ProducerIdentity): ProducerIdentity => ({ ...who, transactionalId: nameInCluster(who.transactionalId) });
  /** Asks each cluster for its own, and puts the answers in the order of what was asked. */
  const split = async <T, R>(
    all: readonly T[],
    place: (one: T) => string,
    ask: (client: Client, of: readonly T[], cluster: string) => Promise<readonly R[]>,
  ) => {
    const answers = new Map<T, R>();
    await Promise.all(
      [...Map.groupBy(all, (one) => clusterOf(place(one)))].map(async ([cluster, of]) => {
        const found = await at(inCluster(cluster, ''), (client) => ask(client, of, cluster));
        for (const [index, one] of of.entries()) answers.set(one, found[index] as R);
      }),
    );
    return all.map((one) => answers.get(one) as R);
  };
  const named = <T extends TopicPartition>(of: readonly T[]): T[] => of.map((one) => ({ ...one, topic: nameInCluster(one.topic) }));

  return {
    fetch: (ranges, limits) =>
      split(
        ranges,
        ({ topic }) => topic,
        async (client, of, cluster): Promise<FetchedPartition[]> =>
          (await client.fetch(named(of), limits)).map((found) => ({ ...found, topic: inCluster(cluster, found.topic) })),
      ),
    initProducerId: (id, timeoutMs) => at(id, (client, name) => client.initProducerId(name, timeoutMs)),
    addPartitions: (who, partitions) => at(who.transactionalId, (client) => client.addPartitions(own(who), named(partitions))),
    produce: (who, leader, batches) =>
      at(batches[0]?.topic ?? '', (client) => client.produce(who === undefined ? undefined : own(who), leader, named(batches))),
    endTxn: (who, commit) => at(who.transactionalId, (client) => client.endTxn(own(who), commit)),
    offsetFetch: (groupId, where) => at(where.topic, (client, topic) => client.offsetFetch(nameInCluster(groupId), { ...where, topic })),
    describeProducers: (leader, topic, partitions) => at(topic, (client, name) => client.describeProducers(leader, name, partitions)),
    leaders: (topic, seen) => at(topic, (client, name) => client.leaders(name, seen)),
    forgetLeaders: (topic) => clusters.get(clusterOf(topic))?.forgetLeaders(nameInCluster(topic)),
    partitionCount: (topic) => at(topic, (client, name) => client.partitionCount(name)),
    topicId: (topic, asked) => at(topic, (client, name) => client.topicId(name, asked)),
    offsets: (topic, partitions, which) => at(topic, (client, name) => client.offsets(name, partitions, which)),
    offsetsAtTime: (topic, partitions, timeMs) => at(topic, (client, name) => client.offsetsAtTime(name, partitions, timeMs)),
    groupOffsets: (groupId, topic, partitions) => at(topic, (client, name) => client.groupOffsets(groupId, name, partitions)),
    commitGroupOffsets: (groupId, topic, offsets, metadata) =>
      at(topic, (client, name) => client.commitGroupOffsets(groupId, name, offsets, metadata)),
    brokerConfig: (names, cluster = '') => at(inCluster(cluster, ''), (client) => client.brokerConfig(names)),
    topicConfig: (topic, names) => at(topic, (client, name) => client.topicConfig(name, names)),
    describeTransactions: (ids) =>
      split(
        ids,
        (id) => id,
        async (client, of, cluster) =>
          (await client.describeTransactions(of.map(nameInCluster))).map((found) => ({
            ...found,
            transactionalId: inCluster(cluster, found.transactionalId),
            partitions: found.partitions.map((one) => ({ ...one, topic: inCluster(cluster, one.topic) })),
          })),
      ),
    createTopic: (topic, partitions) => at(topic, (client, name) => client.createTopic(name, partitions)),
    describeBrokers: (cluster = '') => at(inCluster(cluster, ''), (client) => client.describeBrokers()),
    describeTopics: (topics) =>
      split(
        topics,
        (topic) => topic,
        async (client, of, cluster) =>
          (await client.describeTopics(of.map(nameInCluster))).map((found) => ({ ...found, topic: inCluster(cluster, found.topic) })),
      ),
    addOffsets: (who, groupId) => at(who.transactionalId, (client) => client.addOffsets(own(who), groupId)),
    close: async () => {
      await Promise.all([...clusters.values()].map((client) => client.close()));
    },
  };
}
