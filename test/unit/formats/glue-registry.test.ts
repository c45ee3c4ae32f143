import { expect, it } from 'vitest';
import { JobDefinitionError, kafkaSink, kafkaSource, MalformedError } from '../../../lib/api/index.ts';
import { NotPreparedError } from '../../../lib/format/not-prepared.ts';
import { avro } from '../../../lib/formats/avro.ts';
import { protobuf } from '../../../lib/formats/protobuf.ts';
import { type GlueSchema, glueRegistry, jsonSchema } from '../../../lib/formats/registry.ts';
import { MoneySchema } from '../../support/shop-proto.ts';
import { valueSerdeOf } from '../../support/sink-value-serde.ts';
import { bytesOf, readOf } from './bytes.ts';

const UUID = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63';
const HEADER = `0300${UUID.replaceAll('-', '')}`;
const schema = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'long' }] };

/** What Glue has, by version. */
function glue(known: Record<string, GlueSchema> = {}) {
  const asked: unknown[] = [];
  const registry = glueRegistry({
    schemaOf: async (id) => {
      asked.push(id);
      return known[id];
    },
    versionOf: async (wanted) => {
      asked.push(wanted);
      return Object.entries(known).find(([, { definition }]) => definition === wanted.definition)?.[0];
    },
  });
  return { asked, registry };
}

it('writes and reads behind the UUID of the schema, under the name of the topic', async () => {
  const { asked, registry } = glue({ [UUID]: { definition: JSON.stringify(schema), format: 'AVRO' } });
  const sink = valueSerdeOf(kafkaSink({ topic: 'orders', value: avro<unknown>(schema, { registry, register: false }) }));
  await sink.prepare?.();
  const bytes = bytesOf(sink, { id: 5 });
  expect(bytes.toString('hex')).toBe(`${HEADER}0a`);
  const source = kafkaSource({ topic: 'orders', value: avro<unknown>(schema, { registry }) }).value;
  expect(() => readOf(source, bytes)).toThrow(NotPreparedError);
  await registry.fetch(UUID);
  expect(readOf(source, bytes)).toEqual({ id: 5 });
  expect(asked).toEqual([{ name: 'orders', definition: JSON.stringify(schema), format: 'AVRO', mayRegister: false }, UUID]);
});

it.each([
  ['another header', '00000000010a', /6 bytes that begin with 0x00 are no record behind a header of AWS Glue/],
  ['nothing', '', /0 bytes/],
  ['a compressed record', `0305${HEADER.slice(4)}0a`, /the record is compressed \(5\)/],
  ['a version that Glue has not', `${HEADER}0a`, /has no schema b7b4a7f0/],
])('takes %s for a malformed record', async (_what, hex, message) => {
  const { registry } = glue();
  await registry.fetch(UUID);
  const reading = () => readOf(avro(schema, { registry }), Buffer.from(hex, 'hex'));
  expect(reading).toThrow(MalformedError);
  expect(reading).toThrow(message);
});

it('says what Glue refuses, what it cannot do, and what is asked again', async () => {
  const preparing = (value: Parameters<typeof kafkaSink>[0]['value']) =>
    expect(valueSerdeOf(kafkaSink({ topic: 'orders', value })).prepare?.()).rejects;
  await preparing(avro<unknown>(schema, { registry: glue().registry })).toMatchObject({
    retriable: false,
    message: expect.stringMatching(/schema orders has no version/),
  });
  await preparing(jsonSchema<unknown>({}, { registry: glue({ 'no-uuid': { definition: '{}', format: 'JSON' } }).registry })).toMatchObject({
    retriable: false,
    message: expect.stringMatching(/versionOf gave "no-uuid"/),
  });
  await preparing(protobuf(MoneySchema, { registry: glue().registry }) as never).toMatchObject({
    retriable: false,
    message: expect.stringMatching(/Avro and JSON/),
  });
  const failing = glueRegistry({
    schemaOf: () => Promise.reject(new Error('throttled')),
    versionOf: () => Promise.reject(new Error('throttled')),
  });
  await preparing(avro<unknown>(schema, { registry: failing })).toMatchObject({
    retriable: true,
    message: expect.stringMatching(/versionOf throws: throttled/),
  });
  await expect(failing.fetch(UUID)).rejects.toMatchObject({ retriable: true });
  expect(() => glueRegistry({ schemaOf: 5 } as never)).toThrow(JobDefinitionError);
});
