import { answerOf } from '../ports/broker-answers.ts';
import type { KafkaAnswer } from '../ports/kafka-requests.ts';
import { newDecoder, newEncoder, skipTaggedFields } from './kafkajs-internals.ts';
import { compactLength, NO_TAGS, type WireRequest } from './wire-request.ts';

export interface CommittedOffset {
  readonly answer: KafkaAnswer;
  /** Undefined when none is committed. */
  readonly offset: number | undefined;
  readonly metadata: string;
}

interface OffsetFetchResponse {
  /** Of the group. */
  readonly answer: KafkaAnswer;
  readonly partitions: ReadonlyMap<number, CommittedOffset>;
  readonly throttleMs: number;
}

/**
 * OffsetFetch v7, the first version that can ask for stable offsets (brokers from 2.5). kafkajs stops at v4, which
 * answers an old value while a transaction may still change it.
 */
export function offsetFetchRequest(
  groupId: string,
  topic: string,
  partitions: readonly number[],
  requireStable: boolean,
): WireRequest<OffsetFetchResponse> {
  const encoder = newEncoder()
    .writeUVarIntString(groupId)
    .writeUVarInt(compactLength(1))
    .writeUVarIntString(topic)
    .writeUVarInt(compactLength(partitions.length));
  for (const partition of partitions) encoder.writeInt32(partition);
  encoder.writeUVarInt(NO_TAGS).writeBoolean(requireStable).writeUVarInt(NO_TAGS);
  return {
    api: { key: 9, name: 'OffsetFetch', version: 7, flexible: true },
    body: [encoder.buffer],
    decode: decodeOffsetFetchResponse,
    throttleMs: (response) => response.throttleMs,
    heldMs: 0,
  };
}

function decodeOffsetFetchResponse(payload: Buffer): OffsetFetchResponse {
  const decoder = newDecoder(payload);
  const throttleMs = decoder.readInt32();
  const partitions = new Map<number, CommittedOffset>();
  decoder.readUVarIntArray(() => {
    decoder.readUVarIntString();
    decoder.readUVarIntArray(() => {
      const partition = decoder.readInt32();
      const offset = Number(decoder.readInt64());
      decoder.readInt32();
      const metadata = decoder.readUVarIntString() ?? '';
      const answer = answerOf(decoder.readInt16());
      skipTaggedFields(decoder);
      partitions.set(partition, { answer, offset: offset < 0 ? undefined : offset, metadata });
    });
    skipTaggedFields(decoder);
  });
  return { answer: answerOf(decoder.readInt16()), partitions, throttleMs };
}
