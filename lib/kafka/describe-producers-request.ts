import { answerOf } from '../ports/broker-answers.ts';
import type { KafkaAnswer, ProducerState } from '../ports/kafka-requests.ts';
import { newDecoder, newEncoder, skipTaggedFields } from './kafkajs-internals.ts';
import { compactLength, NO_TAGS, type WireRequest } from './wire-request.ts';

interface DescribeProducersResponse {
  readonly partitions: readonly { readonly answer: KafkaAnswer; readonly producers: readonly ProducerState[] }[];
  readonly throttleMs: number;
}

/** DescribeProducers v0 (brokers from 2.8), for partitions of one leader. kafkajs does not have it. */
export function describeProducersRequest(topic: string, partitions: readonly number[]): WireRequest<DescribeProducersResponse> {
  const encoder = newEncoder().writeUVarInt(compactLength(1)).writeUVarIntString(topic).writeUVarInt(compactLength(partitions.length));
  for (const partition of partitions) encoder.writeInt32(partition);
  return {
    api: { key: 61, name: 'DescribeProducers', version: 0, flexible: true, since: '2.8' },
    body: [encoder.writeUVarInt(NO_TAGS).writeUVarInt(NO_TAGS).buffer],
    decode: decodeDescribeProducersResponse,
    throttleMs: (response) => response.throttleMs,
    heldMs: 0,
  };
}

function decodeDescribeProducersResponse(payload: Buffer): DescribeProducersResponse {
  const decoder = newDecoder(payload);
  const throttleMs = decoder.readInt32();
  const topics = decoder.readUVarIntArray(() => {
    decoder.readUVarIntString();
    const partitions = decoder.readUVarIntArray(() => {
      const partition = decoder.readInt32();
      const answer = answerOf(decoder.readInt16());
      decoder.readUVarIntString(); // what went wrong, in words
      const producers = decoder.readUVarIntArray(() => {
        const producerId = String(decoder.readInt64());
        const producerEpoch = decoder.readInt32();
        decoder.readInt32(); // last sequence number
        const lastTimestampMs = Number(decoder.readInt64());
        decoder.readInt32(); // epoch of the transaction's coordinator
        const openSince = Number(decoder.readInt64());
        skipTaggedFields(decoder);
        return { partition, producerId, producerEpoch, lastTimestampMs, openSince: openSince < 0 ? undefined : openSince };
      });
      skipTaggedFields(decoder);
      return { answer, producers: producers ?? [] };
    });
    skipTaggedFields(decoder);
    return partitions ?? [];
  });
  return { partitions: (topics ?? []).flat(), throttleMs };
}
