import { CompressionTypes, type Message } from 'kafkajs';
import { systemClock } from '../../host/system.ts';
import { adminRequests } from '../../lib/kafka/admin-requests.ts';
import { commitOffsets } from './group-offsets.ts';
import { cluster, endsOf } from './kafka-wire.ts';
import { type SeenRecord, TopicReader } from './topic-reader.ts';
import { createTopic, newProducer, uniqueName } from './topics.ts';
import { waitFor } from './wait-for.ts';

const PARTITIONS = [0, 1, 2];

/** A topic of the stack as a mirror has it in another cluster: the same records with the same times, at other offsets. */
export interface Mirror {
  /** Where a reader goes on there who was at these offsets here, by partition. */
  translated(offsets: readonly number[]): number[];
}

export interface MirrorOptions {
  /** What is older, by the times of the records, is missing there, as behind a mirror that began late. @default 0 */
  readonly from?: number;
  /** Each record is a transaction, with an end of its own, and behind the first lies an attempt of all that was aborted. @default not so */
  readonly inTransactions?: boolean;
}

/** Mirrors a topic, in its order. */
export async function mirrorTopic(topic: string, at: string[], { from = 0, inTransactions = false }: MirrorOptions = {}): Promise<Mirror> {
  await createTopic(topic, { partitions: PARTITIONS.length, at });
  const here = new TopicReader(topic);
  await here.readOn();
  const copied = here.records.filter(({ timestamp }) => timestamp >= from);
  const messages = copied.map(({ partition, timestamp, value }) => ({ partition, timestamp: String(timestamp), value }));
  if (inTransactions) await writeInTransactions(topic, at, messages);
  else if (messages.length > 0) await (await newProducer(undefined, at)).send({ topic, messages, compression: CompressionTypes.None });
  // The last ends may be on their way still.
  const isOver = async () => String(await endsOf(topic, 'committed', at)) === String(await endsOf(topic, 'uncommitted', at));
  await waitFor(`the end of what is mirrored of ${topic}`, isOver);
  const there = new TopicReader(topic, 'committed', at);
  await there.readOn();
  const of = (records: readonly SeenRecord[], partition: number) => records.filter((record) => record.partition === partition);
  return {
    translated: (offsets) =>
      PARTITIONS.map((partition) => {
        const next = of(copied, partition).findIndex(({ offset }) => offset >= (offsets[partition] ?? 0));
        const mirrored = of(there.records, partition);
        return (next === -1 ? undefined : mirrored[next]?.offset) ?? (mirrored.at(-1)?.offset ?? -1) + 1;
      }),
  };
}

async function writeInTransactions(topic: string, at: string[], messages: readonly Message[]): Promise<void> {
  const producer = await newProducer(uniqueName('mirror'), at);
  const write = async (some: readonly Message[], end: 'commit' | 'abort') => {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [...some], compression: CompressionTypes.None });
    await transaction[end]();
  };
  for (const [nth, message] of messages.entries()) {
    await write([message], 'commit');
    if (nth === 0) await write(messages, 'abort');
  }
}

/** Gives the group these offsets in the other cluster, with what its job wrote beside its own: as mirrors do that sync groups. */
export async function mirrorGroup(groupId: string, topic: string, at: string[], offsets: readonly number[]): Promise<void> {
  const found = await adminRequests(cluster(), systemClock).groupOffsets(groupId, topic, PARTITIONS);
  await commitOffsets(groupId, topic, offsets, { at, metadata: found.find((each) => each !== undefined)?.metadata ?? '' });
}
