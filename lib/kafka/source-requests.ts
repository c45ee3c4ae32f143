import type { FetchedPartition, FetchRange, SourceRequests } from '../ports/kafka-requests.ts';
import { answerOf, isPassing } from './answers.ts';
import type { Cluster } from './cluster.ts';
import { codecs } from './codecs.ts';
import { type FetchLimits, fetchRequest, notFetched } from './fetch-request.ts';
import { answerProblem } from './problems.ts';
import { NoAnswer } from './wire-request.ts';

export function sourceRequests(cluster: Cluster): SourceRequests {
  return {
    partitionCount: async (topic) => (await cluster.leaders(topic)).length,

    async offsets(topic, partitions, at) {
      const leaders = await cluster.leaders(topic);
      const byLeader = Map.groupBy(partitions, (partition) => leaders[partition] ?? -1);
      const found = await Promise.all([...byLeader].map(([leader, of]) => offsetsAt(cluster, leader, topic, of, at)));
      const offsets = new Map(found.flat());
      return partitions.map((partition) => offsets.get(partition) ?? missingOffset(topic, partition));
    },

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
  const response = await cluster.sendTo(leader, 'fetch', fetchRequest(ranges, limits));
  const partitions = response instanceof NoAnswer ? ranges.map((range) => notFetched(range, 'NO_ANSWER')) : response.partitions;
  for (const { topic, answer } of partitions) {
    if (answer === 'NONE') continue;
    cluster.logRefusal('Fetch', answer, { kind: 'topic', name: topic });
    if (isPassing(answer)) cluster.forgetLeaders(topic);
  }
  return partitions;
}

async function offsetsAt(
  cluster: Cluster,
  leader: number,
  topic: string,
  partitions: readonly number[],
  at: 'earliest' | 'latest',
): Promise<[number, number][]> {
  const what = `offsets (${at}) of topic ${topic}, partitions ${partitions.join(', ')}`;
  const about = { kind: 'topic', name: topic } as const;
  if (leader < 0) throw answerProblem(cluster.login, what, 'LEADER_NOT_AVAILABLE', about);
  const sent = await cluster.sendTo(leader, 'control', await codecs.listOffsets(topic, partitions, at === 'earliest' ? -2 : -1));
  if (sent instanceof NoAnswer) cluster.forgetLeaders(topic);
  const response = cluster.required(sent, what);
  return response.responses
    .flatMap((one) => one.partitions)
    .map(({ partition, errorCode, offset }) => {
      const answer = answerOf(errorCode);
      if (answer === 'NONE') return [partition, Number(offset)];
      cluster.forgetLeaders(topic);
      throw answerProblem(cluster.login, what, answer, about);
    });
}

function missingOffset(topic: string, partition: number): never {
  throw new Error(`the broker left ${topic}-${partition} out of its answer to ListOffsets`);
}
