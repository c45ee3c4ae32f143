import { answerOf } from '../ports/broker-answers.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogRequests, SourceRequests } from '../ports/kafka-requests.ts';
import type { Cluster } from './cluster.ts';
import { codecs } from './codecs.ts';
import { answerProblem } from './problems.ts';
import { repeated } from './repeated.ts';

export function sourceRequests(cluster: Cluster, clock: Clock): Omit<SourceRequests, keyof LogRequests> {
  return {
    partitionCount: async (topic) => (await cluster.leaders(topic)).length,

    topicId: (topic, asked = 'as-known') => cluster.topicId(topic, asked),

    offsets: (topic, partitions, at) =>
      repeated(clock, () => {
        const isolation = at === 'end' ? 'read_uncommitted' : 'read_committed';
        return offsetsOf(cluster, topic, partitions, { what: `offsets (${at})`, timestamp: at === 'earliest' ? -2 : -1, isolation });
      }),

    async offsetsAtTime(topic, partitions, timestampMs) {
      const what = `offsets at ${new Date(timestampMs).toISOString()}`;
      const asked = { what, timestamp: timestampMs, isolation: 'read_committed' } as const;
      const found = await repeated(clock, () => offsetsOf(cluster, topic, partitions, asked));
      return found.map((offset) => (offset < 0 ? undefined : offset));
    },
  };
}

/** What ListOffsets is asked. */
interface OffsetsAsk {
  /** For messages. */
  readonly what: string;
  /** Of the first record that is not older; -1: the end, -2: the start of the log. */
  readonly timestamp: number;
  /** Whose end of the log it is. */
  readonly isolation: 'read_committed' | 'read_uncommitted';
}

async function offsetsOf(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  { what: asked, timestamp, isolation }: OffsetsAsk,
): Promise<number[]> {
  const what = `${asked} of topic ${topic}, partitions ${partitions.join(', ')}`;
  const about = { kind: 'topic', name: topic } as const;
  const leaders = await cluster.leadersOf(topic, partitions);
  const offsets = new Map<number, number>();
  const ask = async (leader: number | undefined, led: readonly number[]) => {
    if (leader === undefined) throw answerProblem(cluster.login, what, 'UNKNOWN_TOPIC_OR_PARTITION', about);
    if (leader < 0) throw answerProblem(cluster.login, what, 'LEADER_NOT_AVAILABLE', about);
    const request = await codecs.listOffsets(topic, led, timestamp, isolation);
    const { responses } = cluster.required(await cluster.readFrom(leader, 'control', request), what);
    for (const { partition, errorCode, offset } of responses.flatMap((one) => one.partitions)) {
      const answer = answerOf(errorCode);
      if (answer !== 'NONE') throw answerProblem(cluster.login, what, answer, about);
      offsets.set(partition, Number(offset));
    }
  };
  try {
    await Promise.all([...Map.groupBy(partitions, (partition) => leaders[partition])].map(([leader, led]) => ask(leader, led)));
  } catch (error) {
    cluster.forgetLeaders(topic);
    throw error;
  }
  return partitions.map((partition) => offsets.get(partition) ?? missingOffset(topic, partition));
}

function missingOffset(topic: string, partition: number): never {
  throw new Error(`the broker left ${topic}-${partition} out of its answer to ListOffsets`);
}
