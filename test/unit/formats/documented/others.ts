import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { kafkaSink, kafkaSource, valueState } from '../../../../lib/api/index.ts';
import { avro } from '../../../../lib/formats/avro.ts';
import { protobuf } from '../../../../lib/formats/protobuf.ts';
import { jsonSchema, schemaRegistry } from '../../../../lib/formats/registry.ts';
import { OrderSchema } from '../../../support/shop-proto.ts';

const registry = schemaRegistry({
  url: ['https://registry-1:8081', 'https://registry-2:8081'],
  // Asked when the registry is first needed, and again when it refuses what was given.
  login: async () => JSON.parse(await readFile('/run/secrets/registry', 'utf8')),
  timeoutMs: 2_000,
});

// Protobuf: a schema that protoc-gen-es has made. The registry gets its file and what that imports.
export const protoOrders = kafkaSource({ topic: 'proto-orders', value: protobuf(OrderSchema, { registry }) });

// JSON Schema: the document is for others; what is read is checked by zod, or any other Standard Schema.
const Payment = z.object({ order: z.string(), cents: z.int() });
export const payments = kafkaSource({ topic: 'payments', value: jsonSchema(z.toJSONSchema(Payment), { check: Payment, registry }) });

// Keys too. Nothing is registered by this job: somebody else does it, after a review.
const keySchema = { type: 'record', name: 'shop.Key', fields: [{ name: 'id', type: 'string' }] };
export const keyed = kafkaSink({
  topic: 'keyed',
  key: avro<{ id: string }>(keySchema, { registry, register: false }),
  value: protobuf(OrderSchema, { registry, subjectNames: 'topic-record' }),
  toRecord: (order: { id: bigint }) => ({ key: { id: String(order.id) }, value: undefined }),
});

// State that may be read with a later version of its schema: by a registry, in a subject of its own.
export const last = valueState(avro<{ id: string }>(keySchema, { registry, subject: 'state-of-last' }));

// Without a registry, where what is read was written with another schema than that of the job.
const before = { type: 'record', name: 'shop.Key', fields: [{ name: 'id', type: 'int' }] };
const now = { type: 'record', name: 'shop.Key', fields: [{ name: 'id', type: 'long' }] };
export const plain = kafkaSource({ topic: 'plain', value: avro<{ id: number }>(now, { writer: before }) });
