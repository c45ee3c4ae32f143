import { type Decoder, newDecoder, newEncoder } from './kafkajs-internals.ts';
import type { WireRequest } from './wire-request.ts';

export interface MetadataResponse {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly {
    readonly errorCode: number;
    readonly topic: string;
    readonly partitions: readonly PartitionMetadata[];
  }[];
  readonly throttleMs: number;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  /** Rises with each leader of the partition; -1 when the broker does not know it. */
  readonly leaderEpoch: number;
}

/**
 * Metadata v7, the first with leader epochs, by which an answer that is behind the times is told (KIP-320). kafkajs ends at
 * v6. No topic: only the brokers. A topic is never created by asking for it.
 */
export function metadataRequest(topics: readonly string[]): WireRequest<MetadataResponse> {
  const encoder = newEncoder().writeInt32(topics.length);
  for (const topic of topics) encoder.writeString(topic);
  return {
    api: { key: 3, name: 'Metadata', version: 7, flexible: false },
    body: [encoder.writeBoolean(false).buffer],
    decode: decodeMetadataResponse,
    throttleMs: (response) => response.throttleMs,
    heldMs: 0,
  };
}

function decodeMetadataResponse(payload: Buffer): MetadataResponse {
  const decoder = newDecoder(payload);
  const throttleMs = decoder.readInt32();
  const brokers = decoder.readArray(() => {
    const broker = { nodeId: decoder.readInt32(), host: decoder.readString() ?? '', port: decoder.readInt32() };
    decoder.readString(); // rack
    return broker;
  });
  decoder.readString(); // id of the cluster
  decoder.readInt32(); // controller
  const topics = decoder.readArray(() => {
    const errorCode = decoder.readInt16();
    const topic = decoder.readString() ?? '';
    decoder.readInt8(); // is it one of Kafka's own?
    return { errorCode, topic, partitions: decoder.readArray(readPartition) };
  });
  return { brokers, topics, throttleMs };
}

function readPartition(decoder: Decoder): PartitionMetadata {
  decoder.readInt16(); // why there is no leader, if there is none
  const partition = { partition: decoder.readInt32(), leader: decoder.readInt32(), leaderEpoch: decoder.readInt32() };
  for (const _ of ['replicas', 'in sync', 'offline']) decoder.readArray((id) => id.readInt32());
  return partition;
}
