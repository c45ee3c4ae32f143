import { answerOf } from '../ports/broker-answers.ts';
import type { KafkaAnswer, TransactionDescription } from '../ports/kafka-requests.ts';
import { newDecoder, newEncoder, skipTaggedFields } from './kafkajs-internals.ts';
import { compactLength, NO_TAGS, type WireRequest } from './wire-request.ts';

interface DescribeTransactionsResponse {
  readonly transactions: readonly (TransactionDescription & { readonly answer: KafkaAnswer })[];
  readonly throttleMs: number;
}

/** DescribeTransactions v0 (brokers from 3.0), for ids of one coordinator. kafkajs does not have it. */
export function describeTransactionsRequest(transactionalIds: readonly string[]): WireRequest<DescribeTransactionsResponse> {
  const encoder = newEncoder().writeUVarInt(compactLength(transactionalIds.length));
  for (const id of transactionalIds) encoder.writeUVarIntString(id);
  return {
    api: { key: 65, name: 'DescribeTransactions', version: 0, flexible: true, since: '3.0' },
    body: [encoder.writeUVarInt(NO_TAGS).buffer],
    decode: decodeDescribeTransactionsResponse,
    throttleMs: (response) => response.throttleMs,
    heldMs: 0,
  };
}

function decodeDescribeTransactionsResponse(payload: Buffer): DescribeTransactionsResponse {
  const decoder = newDecoder(payload);
  const throttleMs = decoder.readInt32();
  const transactions = decoder.readUVarIntArray(() => {
    const answer = answerOf(decoder.readInt16());
    const transactionalId = decoder.readUVarIntString() ?? '';
    const state = decoder.readUVarIntString() ?? '';
    const timeoutMs = decoder.readInt32();
    const startedAtMs = Number(decoder.readInt64());
    const producerId = String(decoder.readInt64());
    const producerEpoch = decoder.readInt16();
    const topics = decoder.readUVarIntArray(() => {
      const topic = decoder.readUVarIntString() ?? '';
      const partitions = decoder.readUVarIntArray(() => decoder.readInt32()) ?? [];
      skipTaggedFields(decoder);
      return partitions.map((partition) => ({ topic, partition }));
    });
    skipTaggedFields(decoder);
    return {
      answer,
      transactionalId,
      state: answer === 'TRANSACTIONAL_ID_NOT_FOUND' ? 'unknown' : state,
      producerId,
      producerEpoch,
      timeoutMs,
      startedAtMs: startedAtMs > 0 ? startedAtMs : undefined,
      partitions: (topics ?? []).flat(),
    };
  });
  return { transactions: transactions ?? [], throttleMs };
}
