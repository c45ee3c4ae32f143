import { answerOf, worstOf } from '../ports/broker-answers.ts';
import type { PartitionBatch, ProduceAnswer } from '../ports/kafka-requests.ts';
import { newDecoder, newEncoder } from './kafkajs-internals.ts';
import type { WireRequest } from './wire-request.ts';

const ACKS_OF_ALL_IN_SYNC_REPLICAS = -1;

interface ProduceResponse extends ProduceAnswer {
  readonly throttleMs: number;
}

/**
 * Produce v8, which says which record of a batch is refused, of batches that are in wire format already: they go to the socket as they are. Throws `RangeError` for two
 * batches of one partition, which the broker does not take in one request. `transactionalId`: undefined for none.
 */
export function produceRequest(
  transactionalId: string | undefined,
  batches: readonly PartitionBatch[],
  timeoutMs: number,
): WireRequest<ProduceResponse> {
  const body: Uint8Array[] = [];
  const topics = byTopic(batches);
  let encoder = newEncoder()
    .writeString(transactionalId ?? null)
    .writeInt16(ACKS_OF_ALL_IN_SYNC_REPLICAS)
    .writeInt32(timeoutMs)
    .writeInt32(topics.size);
  for (const [topic, partitions] of topics) {
    encoder.writeString(topic).writeInt32(partitions.size);
    for (const [partition, batch] of partitions) {
      encoder.writeInt32(partition).writeInt32(batch.length);
      body.push(encoder.buffer, batch);
      encoder = newEncoder();
    }
  }
  return {
    api: { key: 0, name: 'Produce', version: 8, flexible: false },
    body,
    decode: (payload) => decodeProduceResponse(payload, batches),
    throttleMs: (response) => response.throttleMs,
    heldMs: timeoutMs,
  };
}

function byTopic(batches: readonly PartitionBatch[]): Map<string, Map<number, Uint8Array>> {
  const topics = new Map<string, Map<number, Uint8Array>>();
  for (const { topic, partition, batch } of batches) {
    const partitions = topics.get(topic) ?? new Map<number, Uint8Array>();
    topics.set(topic, partitions);
    if (partitions.has(partition))
      throw new RangeError(`two batches of ${topic}-${partition} in one Produce request: the broker takes one`);
    partitions.set(partition, batch);
  }
  return topics;
}

function decodeProduceResponse(payload: Buffer, batches: readonly PartitionBatch[]): ProduceResponse {
  const decoder = newDecoder(payload);
  const answers = decoder
    .readArray(() => {
      const topic = decoder.readString() ?? '';
      return decoder.readArray(() => {
        const partition = decoder.readInt32();
        const answer = answerOf(decoder.readInt16());
        const baseOffset = Number(decoder.readInt64());
        decoder.readInt64(); // the time of the append
        decoder.readInt64(); // where the log starts
        const [first] = decoder.readArray(() => ({ index: decoder.readInt32(), why: decoder.readString() }));
        const why = decoder.readString();
        const refused = first === undefined ? undefined : refusedText(topic, partition, first.index, first.why ?? why);
        return { topic, partition, answer, baseOffset, refused };
      });
    })
    .flat();
  const throttleMs = decoder.readInt32();
  // A batch that nobody acknowledged was not acknowledged.
  if (answers.length !== batches.length) throw new Error(`Produce of ${batches.length} batches was answered for ${answers.length}`);
  const offsets = new Map(answers.map(({ topic, partition, baseOffset }) => [`${topic} ${partition}`, baseOffset]));
  return {
    answer: worstOf(answers.map(({ answer }) => answer)),
    baseOffsets: batches.map(({ topic, partition }) => offsets.get(`${topic} ${partition}`) ?? -1),
    throttleMs,
    refused: answers.find(({ refused }) => refused !== undefined)?.refused,
  };
}

function refusedText(topic: string, partition: number, index: number, why: string | null): string {
  return `topic ${topic}, partition ${partition}, record ${index} of its batch${why === null ? '' : `: ${why}`}`;
}
