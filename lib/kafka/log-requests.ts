import type { FetchedPartition, FetchLimits, FetchRange, LogRequests } from '../ports/kafka-requests.ts';
import { isPassing } from './answers.ts';
import type { Cluster } from './cluster.ts';
import { fetchRequest, notFetched } from './fetch-request.ts';
import { NoAnswer } from './wire-request.ts';

export function logRequests(cluster: Cluster): LogRequests {
  return {
    async fetch(ranges, limits) {
      const topics = [...new Set(ranges.map(({ topic }) => topic))];
      const leaders = new Map(await Promise.all(topics.map(async (topic) => [topic, await cluster.leaders(topic)] as const)));
      const byLeader = Map.groupBy(ranges, ({ topic, partition }) => leaders.get(topic)?.[partition]);
      const fetched = (await Promise.all([...byLeader].map(([leader, of]) => fetchFrom(cluster, leader, of, limits)))).flat();
      const answered = new Map(fetched.map((one) => [`${one.topic} ${one.partition}`, one]));
      return ranges.map((range) => answered.get(`${range.topic} ${range.partition}`) ?? notFetched(range, 'UNKNOWN_SERVER_ERROR'));
    },
  };
}

/** `leader`: undefined for partitions that the topic does not have, -1 for those without a leader at the moment. */
async function fetchFrom(
  cluster: Cluster,
  leader: number | undefined,
  ranges: readonly FetchRange[],
  limits: FetchLimits,
): Promise<readonly FetchedPartition[]> {
  if (leader === undefined) return ranges.map((range) => notFetched(range, 'UNKNOWN_TOPIC_OR_PARTITION'));
  if (leader < 0) return ranges.map((range) => notFetched(range, 'LEADER_NOT_AVAILABLE'));
  const response = await cluster.readFrom(leader, 'fetch', fetchRequest(ranges, limits));
  const partitions = response instanceof NoAnswer ? ranges.map((range) => notFetched(range, 'NO_ANSWER')) : response.partitions;
  for (const { topic, answer } of partitions) {
    if (answer === 'NONE') continue;
    cluster.logRefusal('Fetch', answer, { kind: 'topic', name: topic });
    if (isPassing(answer)) cluster.forgetLeaders(topic);
  }
  return partitions;
}
