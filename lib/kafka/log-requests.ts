import { isPassing } from '../ports/broker-answers.ts';
import type { Clock } from '../ports/clock.ts';
import type { FetchedPartition, FetchLimits, FetchRange, LogRequests } from '../ports/kafka-requests.ts';
import type { Cluster } from './cluster.ts';
import { fetchRequest, notFetched } from './fetch-request.ts';
import { passesSoon, shortPauses } from './repeated.ts';
import { NoAnswer } from './wire-request.ts';

export function logRequests(cluster: Cluster, clock: Clock): LogRequests {
  return {
    async fetch(ranges, limits) {
      const answered = new Map<string, FetchedPartition>();
      const answerFor = (range: FetchRange) =>
        answered.get(`${range.topic} ${range.partition}`) ?? notFetched(range, 'UNKNOWN_SERVER_ERROR');
      const ask = async (of: readonly FetchRange[]) => {
        for (const one of await fetchOnce(cluster, of, limits)) answered.set(`${one.topic} ${one.partition}`, one);
      };
      await ask(ranges);
      // A topic grew, a leader moves: asked again here, it fails nobody's work.
      for (const pauseMs of shortPauses()) {
        const passing = ranges.filter((range) => passesSoon(answerFor(range).answer));
        if (passing.length === 0 || clock.elapsedMs() + pauseMs >= (limits.untilMs ?? Number.POSITIVE_INFINITY)) break;
        await clock.sleep(pauseMs);
        await ask(passing);
      }
      return ranges.map(answerFor);
    },
  };
}

/** One request to each leader. */
async function fetchOnce(cluster: Cluster, ranges: readonly FetchRange[], limits: FetchLimits): Promise<FetchedPartition[]> {
  const leadersOf = async ([topic, of]: readonly [string, readonly FetchRange[]]) => {
    const partitions = of.map(({ partition }) => partition);
    return [topic, await cluster.leadersOf(topic, partitions)] as const;
  };
  const leaders = new Map(await Promise.all([...Map.groupBy(ranges, ({ topic }) => topic)].map(leadersOf)));
  const byLeader = Map.groupBy(ranges, ({ topic, partition }) => leaders.get(topic)?.[partition]);
  return (await Promise.all([...byLeader].map(([leader, of]) => fetchFrom(cluster, leader, of, limits)))).flat();
}

/** Brokers let a client wait for some ten seconds at most; then they give it something. */
const MOST_THROTTLED = 10;

/**
 * Whoever has fetched more than its quota allows is answered at once, without any partition, and told how long to wait. The
 * connection waits so long before its next request: it is asked again at once.
 */
async function fetchUnthrottled(cluster: Cluster, leader: number, ranges: readonly FetchRange[], limits: FetchLimits) {
  for (let tries = 1; ; tries++) {
    const response = await cluster.readFrom(leader, 'fetch', fetchRequest(ranges, limits));
    const wasThrottled = !(response instanceof NoAnswer) && response.partitions.length === 0 && response.throttleMs > 0;
    if (!wasThrottled) return response;
    if (tries >= MOST_THROTTLED) return new NoAnswer(`broker ${leader} has throttled this client ${tries} times in a row`);
  }
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
  const response = await fetchUnthrottled(cluster, leader, ranges, limits);
  const partitions = response instanceof NoAnswer ? ranges.map((range) => notFetched(range, 'NO_ANSWER')) : response.partitions;
  for (const { topic, answer } of partitions) {
    if (answer === 'NONE') continue;
    cluster.logRefusal('Fetch', answer, { kind: 'topic', name: topic });
    // Out of range is also what a leader says that is none any more.
    if (isPassing(answer) || answer === 'OFFSET_OUT_OF_RANGE') cluster.forgetLeaders(topic);
  }
  return partitions;
}
