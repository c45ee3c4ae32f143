import { codecs } from '../../lib/kafka/codecs.ts';
import { type Decoder, newDecoder, newEncoder, skipTaggedFields } from '../../lib/kafka/kafkajs-internals.ts';
import { compactLength, NO_TAGS, type WireRequest } from '../../lib/kafka/wire-request.ts';
import { brokers, cluster, kafkaJsRequest } from './kafka-wire.ts';

export interface PartitionReplicas {
  readonly topic: string;
  readonly partition: number;
  /** Broker id; -1 when there is none at the moment. */
  readonly leader: number;
  /** Broker ids; the first is the preferred leader. */
  readonly replicas: readonly number[];
  /** Of these, those that have everything. */
  readonly isr: readonly number[];
}

interface ReplicasResponse {
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionId: number;
      readonly leader: number;
      readonly replicas: number[];
      readonly isr: number[];
    }[];
  }[];
}

/** What a broker that answers knows of the topics' partitions. */
export async function replicasOf(topics: readonly string[], at = brokers()): Promise<PartitionReplicas[]> {
  const request = await kafkaJsRequest<ReplicasResponse>('Metadata', 6, { topics, allowAutoTopicCreation: false });
  const { topicMetadata } = await cluster(at).ask(request, `replicas of ${topics}`);
  return topicMetadata.flatMap(({ topic, partitionMetadata }) =>
    partitionMetadata.map(({ partitionId: partition, leader, replicas, isr }) => ({ topic, partition, leader, replicas, isr })),
  );
}

/** Has the partition moved to these brokers; it goes on while they copy. @param withinMs for the controller to take it on */
export async function reassign(
  topic: string,
  partition: number,
  replicas: readonly number[],
  withinMs: number,
  at = brokers(),
): Promise<void> {
  const body = newEncoder().writeInt32(withinMs).writeUVarInt(compactLength(1)).writeUVarIntString(topic).writeUVarInt(compactLength(1));
  body.writeInt32(partition).writeUVarInt(compactLength(replicas.length));
  for (const replica of replicas) body.writeInt32(replica);
  // Of the partition, of the topic, of the request.
  body.writeUVarInt(NO_TAGS).writeUVarInt(NO_TAGS).writeUVarInt(NO_TAGS);
  const request: WireRequest<number[]> = {
    api: { key: 45, name: 'AlterPartitionReassignments', version: 0, flexible: true },
    body: [body.buffer],
    decode(payload) {
      const decoder = newDecoder(payload);
      decoder.readInt32();
      const ofAll = codeIn(decoder);
      const ofEach = decoder.readUVarIntArray(() => {
        decoder.readUVarIntString();
        const codes = decoder.readUVarIntArray(() => {
          decoder.readInt32();
          const code = codeIn(decoder);
          skipTaggedFields(decoder);
          return code;
        });
        skipTaggedFields(decoder);
        return codes ?? [];
      });
      return [ofAll, ...(ofEach ?? []).flat()];
    },
    throttleMs: () => 0,
    heldMs: 0,
  };
  const codes = await cluster(at).ask(request, `moving ${topic}-${partition}`);
  if (codes.some((code) => code !== 0)) throw new Error(`AlterPartitionReassignments of ${topic}-${partition} was answered ${codes}`);
}

/** An error code, and the message behind it. */
function codeIn(decoder: Decoder): number {
  const code = decoder.readInt16();
  decoder.readUVarIntString();
  return code;
}

/** The broker that coordinates the transactional id. */
export async function coordinatorOf(transactionalId: string, at = brokers()): Promise<number> {
  const request = await codecs.findCoordinator('transaction', transactionalId);
  const { errorCode, coordinator } = await cluster(at).ask(request, `the coordinator of ${transactionalId}`);
  if (errorCode !== 0) throw new Error(`FindCoordinator of ${transactionalId} was answered ${errorCode}`);
  return coordinator.nodeId;
}
