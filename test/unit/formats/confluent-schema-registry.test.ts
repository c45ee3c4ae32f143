import { create, type DescMessage } from '@bufbuild/protobuf';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { describe, expect, it, onTestFinished } from 'vitest';
import { kafkaSink, kafkaSource, MalformedError, type Serde } from '../../../lib/api/index.ts';
import { avro } from '../../../lib/formats/avro.ts';
import { protobuf } from '../../../lib/formats/protobuf.ts';
import { jsonSchema, type SchemaRegistry as SchemaRegistries, schemaRegistry } from '../../../lib/formats/registry.ts';
import confluent from '../../fixtures/confluent-client.json' with { type: 'json' };
import { TestRegistry } from '../../support/schema-registry.ts';
import { LineSchema, MoneySchema, moneyProto, OrderSchema, RefundSchema } from '../../support/shop-proto.ts';
import { valueSerdeOf } from '../../support/sink-value-serde.ts';
import { bytesOf, readOf } from './bytes.ts';

/*
 * The package that users of KafkaJS have for this: what it writes is read here, and the other way round, over one registry.
 */

async function bothAt() {
  const server = await TestRegistry.start();
  onTestFinished(() => server.close());
  return { theirs: new SchemaRegistry({ host: server.url }), ours: schemaRegistry({ url: server.url }) };
}

async function written<T>(serde: Serde<T>, value: T): Promise<Buffer> {
  const sink = valueSerdeOf(kafkaSink({ topic: 'orders', value: serde }));
  await sink.prepare?.();
  return bytesOf(sink, value);
}

const schema = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['OPEN', 'PAID'] } },
  ],
};
const order = { id: 2 ** 40, note: 'hé', tags: ['a', 'b'], state: 'PAID' };

describe('@kafkajs/confluent-schema-registry', () => {
  it('reads our Avro, and we read its', async () => {
    const { theirs, ours } = await bothAt();
    const serde = avro<typeof order>(schema, { registry: ours });
    const bytes = await written(serde, order);
    expect(await theirs.decode(bytes)).toEqual(order);
    const { id } = await theirs.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject: 'orders-value' });
    const theirBytes = await theirs.encode(id, order);
    expect(theirBytes).toEqual(bytes);
    await ours.fetch(id);
    expect(readOf(kafkaSource({ topic: 'orders', value: serde }).value, theirBytes)).toEqual(order);
  });

  it('reads our JSON, and we read its', async () => {
    const { theirs, ours } = await bothAt();
    const document = { title: 'Order', type: 'object', properties: { id: { type: 'number' } }, required: ['id'] };
    const serde = jsonSchema<typeof order>(document, { registry: ours });
    expect(await theirs.decode(await written(serde, order))).toEqual(order);
    const { id } = await theirs.register({ type: SchemaType.JSON, schema: JSON.stringify(document) }, { subject: 'orders-value' });
    expect(readOf(serde, await theirs.encode(id, order))).toEqual(order);
  });

  it('reads our Protobuf where the message is the first of its file; what it writes has no message indexes, and is refused', async () => {
    const { theirs, ours } = await bothAt();
    const serde = protobuf(MoneySchema, { registry: ours, proto: moneyProto });
    const bytes = await written(serde, create(MoneySchema, { cents: 5n, currency: 'EUR' } as never) as never);
    const read = await theirs.decode(bytes);
    expect({ cents: Number(read.cents), currency: read.currency }).toEqual({ cents: 5, currency: 'EUR' });
    const { id } = await theirs.register({ type: SchemaType.PROTOBUF, schema: moneyProto }, { subject: 'orders-value' });
    const theirBytes = await theirs.encode(id, { cents: 5, currency: 'EUR' });
    expect(theirBytes.subarray(5)).toEqual(bytes.subarray(6));
    await ours.fetch(id);
    expect(() => readOf(kafkaSource({ topic: 'orders', value: serde }).value, theirBytes)).toThrow(MalformedError);
  });
});

describe("what Confluent's own client has written", () => {
  const order = {
    id: 2n ** 60n,
    lines: [{ sku: 'x', count: 3n }],
    prices: { a: { cents: 5n, currency: 'EUR' } },
    paid: { case: 'by', value: 'me' },
    raw: new Uint8Array([1]),
  };
  const made = (schema: DescMessage, value: object) => create(schema, value as never);
  const avroSchema = { ...schema, fields: schema.fields.slice(0, 3) };

  it.each([
    ['avro', (registry: SchemaRegistries) => avro<unknown>(avroSchema, { registry }), { id: 5, note: 'hé', tags: ['a'] }],
    ['json', (registry: SchemaRegistries) => jsonSchema<unknown>(confluent.schemas[1]?.schema ?? '', { registry }), { id: 5 }],
    ['order', (registry: SchemaRegistries) => protobuf(OrderSchema, { registry }), made(OrderSchema, order)],
    ['line', (registry: SchemaRegistries) => protobuf(LineSchema, { registry }), made(LineSchema, { sku: 'x', count: 3n })],
    ['refund', (registry: SchemaRegistries) => protobuf(RefundSchema, { registry }), made(RefundSchema, { order: 7n })],
  ] as const)('is read, and is what we write: %s', async (name, serdeAt, value) => {
    const server = await TestRegistry.start();
    onTestFinished(() => server.close());
    for (const { subject, ...posted } of confluent.schemas) server.add(subject, posted);
    const registry = schemaRegistry({ url: server.url });
    const bytes = Buffer.from(confluent.records[name], 'hex');
    await registry.fetch(bytes.readUInt32BE(1));
    const serde = serdeAt(registry) as Serde<unknown>;
    expect(readOf(kafkaSource({ topic: 'orders', value: serde }).value, bytes)).toEqual(value);
    expect(await written(serde, value)).toEqual(bytes);
  });
});
