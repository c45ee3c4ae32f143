import { type Decoder, newDecoder, newEncoder, skipTaggedFields } from './kafkajs-internals.ts';
import { compactLength, NO_TAGS, type WireRequest } from './wire-request.ts';

export interface MetadataResponse {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly TopicMetadata[];
  readonly throttleMs: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly topic: string;
  /** As Kafka's tools print it. Undefined: the topic has none (of clusters with ZooKeeper that were not upgraded whole). */
  readonly id: string | undefined;
  readonly partitions: readonly PartitionMetadata[];
  /** What the client may do with it, a bit for each operation; -2^31 where that was not asked. */
  readonly operations: number;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  /** Rises with each leader of the partition; -1 when the broker does not know it. */
  readonly leaderEpoch: number;
  /** Brokers that keep it. */
  readonly replicas: number;
  /** Those of them that have all of it. */
  readonly inSync: number;
}

const ID_BYTES = 16;

/**
 * Metadata v10, the first with the ids of topics (brokers from 2.8), and with leader epochs, by which an answer that is behind the
 * times is told (KIP-320). kafkajs ends at v6. No topic: only the brokers. A topic is never created by asking for it.
 *
 * @param withRights asks also what the client may do with the topics. @default false
 */
export function metadataRequest(topics: readonly string[], withRights = false): WireRequest<MetadataResponse> {
  const encoder = newEncoder().writeUVarInt(compactLength(topics.length));
  // By name, so without an id.
  for (const topic of topics) encoder.writeInt64(0).writeInt64(0).writeUVarIntString(topic).writeUVarInt(NO_TAGS);
  // Not created.
  encoder.writeBoolean(false).writeBoolean(false).writeBoolean(withRights).writeUVarInt(NO_TAGS);
  return {
    api: { key: 3, name: 'Metadata', version: 10, flexible: true, since: '2.8' },
    body: [encoder.buffer],
    decode: decodeMetadataResponse,
    throttleMs: (response) => response.throttleMs,
    heldMs: 0,
  };
}

function decodeMetadataResponse(payload: Buffer): MetadataResponse {
  const decoder = newDecoder(payload);
  const throttleMs = decoder.readInt32();
  const brokers = decoder.readUVarIntArray(() => {
    const broker = { nodeId: decoder.readInt32(), host: decoder.readUVarIntString() ?? '', port: decoder.readInt32() };
    decoder.readUVarIntString(); // rack
    skipTaggedFields(decoder);
    return broker;
  });
  decoder.readUVarIntString(); // id of the cluster
  decoder.readInt32(); // controller
  const topics = decoder.readUVarIntArray((): TopicMetadata => {
    const errorCode = decoder.readInt16();
    const topic = decoder.readUVarIntString() ?? '';
    const id = readId(decoder);
    decoder.readInt8(); // is it one of Kafka's own?
    const partitions = decoder.readUVarIntArray(readPartition) ?? [];
    const operations = decoder.readInt32();
    skipTaggedFields(decoder);
    return { errorCode, topic, id, partitions, operations };
  });
  return { brokers: brokers ?? [], topics: topics ?? [], throttleMs };
}

function readId(decoder: Decoder): string | undefined {
  const bytes = decoder.buffer.subarray(decoder.offset, decoder.offset + ID_BYTES);
  decoder.offset += ID_BYTES;
  return bytes.every((byte) => byte === 0) ? undefined : bytes.toString('base64url');
}

function readPartition(decoder: Decoder): PartitionMetadata {
  decoder.readInt16(); // why there is no leader, if there is none
  const partition = { partition: decoder.readInt32(), leader: decoder.readInt32(), leaderEpoch: decoder.readInt32() };
  const count = () => decoder.readUVarIntArray((id) => id.readInt32())?.length ?? 0;
  const [replicas, inSync] = [count(), count()];
  count(); // offline
  skipTaggedFields(decoder);
  return { ...partition, replicas, inSync };
}
