import { answerOf } from '../ports/broker-answers.ts';
import type { FetchedPartition, FetchLimits, FetchRange } from '../ports/kafka-requests.ts';
import { type Decoder, newDecoder, newEncoder } from './kafkajs-internals.ts';
import type { WireRequest } from './wire-request.ts';

interface FetchResponse {
  readonly partitions: readonly FetchedPartition[];
  readonly throttleMs: number;
}

const CONSUMER = -1;
const ISOLATION = { read_uncommitted: 0, read_committed: 1 } as const;
const NO_SESSION_ID = 0;
const NO_SESSION_EPOCH = -1;
const ANY_LEADER_EPOCH = -1;
const NOT_A_FOLLOWER = -1n;
const NO_BYTES = Buffer.alloc(0);

/**
 * Fetch v10, without a session: every request stands alone. The ranges have one leader. Not v11: that a follower answers too, with
 * what it knows, and its log may be behind.
 */
export function fetchRequest(ranges: readonly FetchRange[], limits: FetchLimits): WireRequest<FetchResponse> {
  const topics = Map.groupBy(ranges, ({ topic }) => topic);
  const encoder = newEncoder()
    .writeInt32(CONSUMER)
    .writeInt32(limits.maxWaitMs)
    .writeInt32(limits.minBytes)
    .writeInt32(limits.maxBytes)
    .writeInt8(ISOLATION[limits.isolation ?? 'read_committed'])
    .writeInt32(NO_SESSION_ID)
    .writeInt32(NO_SESSION_EPOCH)
    .writeInt32(topics.size);
  for (const [topic, partitions] of topics) {
    encoder.writeString(topic).writeInt32(partitions.length);
    for (const { partition, offset, maxBytes } of partitions) {
      encoder.writeInt32(partition).writeInt32(ANY_LEADER_EPOCH).writeInt64(offset).writeInt64(NOT_A_FOLLOWER).writeInt32(maxBytes);
    }
  }
  const forgottenTopics = 0;
  encoder.writeInt32(forgottenTopics);
  return {
    api: { key: 1, name: 'Fetch', version: 10, flexible: false },
    body: [encoder.buffer],
    decode: (payload) => decodeFetchResponse(payload, ranges),
    throttleMs: (response) => response.throttleMs,
    heldMs: limits.maxWaitMs,
  };
}

/** A range for which the broker said nothing but `answer`. */
export function notFetched({ topic, partition }: FetchRange, answer: FetchedPartition['answer']): FetchedPartition {
  return { topic, partition, answer, logStartOffset: -1, highWatermark: -1, lastStableOffset: -1, aborted: [], records: NO_BYTES };
}

function decodeFetchResponse(payload: Buffer, ranges: readonly FetchRange[]): FetchResponse {
  const decoder = newDecoder(payload);
  const throttleMs = decoder.readInt32();
  const answer = answerOf(decoder.readInt16());
  decoder.readInt32();
  if (answer !== 'NONE') return { partitions: ranges.map((range) => notFetched(range, answer)), throttleMs };
  const partitions = decoder
    .readArray(() => {
      const topic = decoder.readString() ?? '';
      return decoder.readArray(() => decodePartition(decoder, topic));
    })
    .flat();
  return { partitions, throttleMs };
}

function decodePartition(decoder: Decoder, topic: string): FetchedPartition {
  const partition = decoder.readInt32();
  const answer = answerOf(decoder.readInt16());
  const highWatermark = Number(decoder.readInt64());
  const lastStableOffset = Number(decoder.readInt64());
  const logStartOffset = Number(decoder.readInt64());
  const aborted = decoder.readArray(() => ({ producerId: decoder.readInt64(), firstOffset: Number(decoder.readInt64()) }));
  return { topic, partition, answer, logStartOffset, highWatermark, lastStableOffset, aborted, records: decoder.readBytes() ?? NO_BYTES };
}
