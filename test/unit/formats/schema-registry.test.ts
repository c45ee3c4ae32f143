import { create } from '@bufbuild/protobuf';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { JobDefinitionError, kafkaSink, kafkaSource, MalformedError, type Serde } from '../../../lib/api/index.ts';
import { NotPreparedError } from '../../../lib/format/not-prepared.ts';
import { type AvroOptions, type AvroSchema, avro } from '../../../lib/formats/avro.ts';
import { protobuf } from '../../../lib/formats/protobuf.ts';
import { jsonSchema, type RegistryUse, type SchemaRegistryOptions, schemaRegistry } from '../../../lib/formats/registry.ts';
import { RegistryProblem } from '../../../lib/ports/registry-problem.ts';
import { TestRegistry, type TestRegistryOptions } from '../../support/schema-registry.ts';
import { MoneySchema, moneyProto, OrderSchema, orderProto } from '../../support/shop-proto.ts';
import { valueSerdeOf } from '../../support/sink-value-serde.ts';
import { anotherAuthority, testCertificate, testKey } from '../kafka/certificate.ts';
import { bytesOf, readOf } from './bytes.ts';

async function started(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  onTestFinished(() => registry.close());
  return registry;
}

const record = (...fields: readonly object[]) => ({ type: 'record', name: 'shop.Order', fields });
const ID = { name: 'id', type: 'long' };
const NOTE = { name: 'note', type: 'string' };
const first = record(ID);

/** As sinks and sources have it. */
const written = <T>(serde: Serde<T>): Serde<T> => valueSerdeOf(kafkaSink({ topic: 'orders', value: serde }));
const readers = <T>(serde: Serde<T>): Serde<T> => kafkaSource({ topic: 'orders', value: serde }).value;
const avroAt = (url: string, schema: AvroSchema, more: Partial<RegistryUse> & AvroOptions & Partial<SchemaRegistryOptions> = {}) => {
  const { login, tls, timeoutMs, ...others } = more;
  return avro<unknown>(schema, {
    registry: schemaRegistry({ url, ...(login && { login }), ...(tls && { tls }), ...(timeoutMs && { timeoutMs }) }),
    ...others,
  });
};

/** Reads what has to be fetched first, as a stage does. */
async function readPrepared<T>(serde: Serde<T>, bytes: Buffer, registry: { fetch(id: number): Promise<void> }): Promise<T> {
  expect(() => readOf(serde, bytes)).toThrow(NotPreparedError);
  await registry.fetch(bytes.readUInt32BE(1));
  return readOf(serde, bytes);
}

const problemOf = async (work: Promise<unknown> | undefined): Promise<RegistryProblem> => {
  const problem = await work?.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(problem).toBeInstanceOf(RegistryProblem);
  return problem as RegistryProblem;
};

describe('a schema that is written', () => {
  it('is looked for, and registered when it is not there; afterwards nobody is asked', async () => {
    const server = await started();
    const one = written(avroAt(server.url, first));
    expect(() => bytesOf(one, { id: 5 })).toThrow(NotPreparedError);
    await one.prepare?.();
    expect(server.requests).toEqual(['POST /subjects/orders-value', 'POST /subjects/orders-value/versions', 'POST /subjects/orders-value']);
    expect(bytesOf(one, { id: 5 }).toString('hex')).toBe('00000000010a');
    const other = written(avroAt(server.url, JSON.stringify(first, null, 2)));
    await other.prepare?.();
    await other.prepare?.();
    expect(server.requests.slice(3)).toEqual(['POST /subjects/orders-value']);
    expect(bytesOf(other, { id: 5 })).toEqual(bytesOf(one, { id: 5 }));
  });

  it.each([
    ['topic', 'key', 'orders-key'],
    ['topic', 'value', 'orders-value'],
    ['record', 'value', 'shop.Order'],
    ['topic-record', 'key', 'orders-shop.Order'],
  ] as const)('is in the subject of the strategy: by %s, %s: %s', async (subjectNames, part, subject) => {
    const server = await started();
    await avroAt(server.url, first, { subjectNames }).forTopic?.({ topic: 'orders', part, use: 'write' }).prepare?.();
    expect(server.versions(subject)).toHaveLength(1);
  });

  it('is in the subject of the topic that the configuration gives, or in one that is named', async () => {
    const server = await started();
    const sink = kafkaSink({ topic: 'orders', value: avroAt(server.url, first) });
    await valueSerdeOf(sink).forTopic?.({ topic: 'others', part: 'value', use: 'write' }).prepare?.();
    await valueSerdeOf(kafkaSink({ topic: 'orders', value: avroAt(server.url, first, { subject: 'a/b' }) })).prepare?.();
    expect([server.versions('orders-value'), server.versions('others-value'), server.versions('a/b')].map(({ length }) => length)).toEqual([
      0, 1, 1,
    ]);
  });

  it('that is not compatible is refused, and the message says why and what to do', async () => {
    const server = await started();
    server.add('orders-value', { schema: JSON.stringify(first) });
    const problem = await problemOf(written(avroAt(server.url, record(ID, NOTE))).prepare?.());
    expect(problem.retriable).toBe(false);
    expect(problem.message).toMatch(
      /^schema registry http:\S+: the schema that the job writes is not compatible with what subject orders-value has: .*no matching field for default-less.*Mend the schema, write to another subject, or change the subject's rule \(PUT \/config\/orders-value\)$/,
    );
    server.setRule('orders-value', 'NONE');
    await expect(written(avroAt(server.url, record(ID, NOTE))).prepare?.()).resolves.toBeUndefined();
  });

  it('that may not be registered is refused, and the message says whether it could be', async () => {
    const server = await started();
    const refused = async (schema: object) => {
      const problem = await problemOf(written(avroAt(server.url, schema, { register: false })).prepare?.());
      expect(problem.retriable).toBe(false);
      return problem.message;
    };
    expect(await refused(first)).toMatch(
      /subject orders-value has not the schema that the job writes, and `register` is false\. It would be compatible\./,
    );
    server.add('orders-value', { schema: JSON.stringify(first) });
    expect(await refused(record(ID, NOTE))).toMatch(/It is not compatible with the newest: .*note/);
    expect(server.versions('orders-value')).toHaveLength(1);
    await expect(written(avroAt(server.url, first, { register: false })).prepare?.()).resolves.toBeUndefined();
  });

  it('brings what it refers to', async () => {
    const server = await started();
    const money = {
      name: 'shop.Money',
      subject: 'money',
      schema: { type: 'record', name: 'shop.Money', fields: [{ name: 'cents', type: 'long' }] },
    };
    const schema = record({ name: 'price', type: 'shop.Money' });
    const one = written(avroAt(server.url, schema, { references: [money] }));
    await one.prepare?.();
    expect(server.versions('money')).toHaveLength(1);
    expect(server.versions('orders-value')).toEqual([
      { schema: JSON.stringify(schema), references: [{ name: 'shop.Money', subject: 'money', version: 1 }] },
    ]);
    const registry = schemaRegistry({ url: server.url });
    const reader = readers(avro<unknown>(schema, { registry, references: [money] }));
    expect(await readPrepared(reader, bytesOf(one, { price: { cents: 5 } }), registry)).toEqual({ price: { cents: 5 } });
    const wrong = { ...money, schema: { ...money.schema, fields: 5 } };
    expect(() => avroAt(server.url, schema, { references: [wrong] })).toThrow(JobDefinitionError);
  });

  it('that the registry does not take for one is refused', async () => {
    const server = await started();
    server.trouble = (request) =>
      /versions/.test(request) ? { is: 'answer', status: 422, body: '{"error_code":42201,"message":"Invalid schema"}' } : { is: 'none' };
    const problem = await problemOf(written(avroAt(server.url, first)).prepare?.());
    expect(problem.retriable).toBe(false);
    expect(problem.message).toMatch(/POST \/subjects\/orders-value\/versions: the answer is 422, error 42201: Invalid schema$/);
  });

  it('in state and behind a keyBy is in a subject that is named, and is read without being fetched', async () => {
    const server = await started();
    const kept = avroAt(server.url, first, { subject: 'kept' });
    await kept.prepare?.();
    expect(readOf(kept, bytesOf(kept, { id: 1 }))).toEqual({ id: 1 });
    expect(server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
    expect(server.versions('kept')).toHaveLength(1);
  });
});

describe('a schema that a record was written with', () => {
  it('is fetched once, with what it refers to, and the record is read by the schema of the job', async () => {
    const server = await started();
    const older = server.add('orders-value', { schema: JSON.stringify(first) });
    const registry = schemaRegistry({ url: server.url });
    const serde = readers(avro<unknown>(record({ name: 'id', type: 'long' }, { ...NOTE, default: 'none' }), { registry, longs: 'bigint' }));
    await serde.prepare?.();
    expect(server.requests).toEqual([]);
    const bytes = Buffer.from([0, 0, 0, 0, older, 10]);
    expect(await readPrepared(serde, bytes, registry)).toEqual({ id: 5n, note: 'none' });
    readOf(serde, bytes);
    await registry.fetch(older);
    expect(server.requests).toEqual([`GET /schemas/ids/${older}`]);
  });

  it('that the registry has not is asked for again, and then it is a malformed record', async () => {
    const server = await started();
    const registry = schemaRegistry({ url: server.url });
    const serde = readers(avro<unknown>(first, { registry }));
    await expect(readPrepared(serde, Buffer.from([0, 0, 0, 0, 7, 10]), registry)).rejects.toThrow(MalformedError);
    expect(() => readOf(serde, Buffer.from([0, 0, 0, 0, 7, 10]))).toThrow(/avro: schema registry http:\S+ has no schema 7/);
    expect(server.requests).toEqual(['GET /schemas/ids/7', 'GET /schemas/ids/7']);
  });

  it('that is registered a moment after it was used is found', async () => {
    const server = await started();
    const registry = schemaRegistry({ url: server.url });
    const serde = readers(avro<unknown>(first, { registry }));
    const fetched = readPrepared(serde, Buffer.from([0, 0, 0, 0, 1, 10]), registry);
    await expect.poll(() => server.requests.length).toBe(1);
    server.add('orders-value', { schema: JSON.stringify(first) });
    expect(await fetched).toEqual({ id: 5 });
  });

  it('that cannot be read by the schema of the job makes malformed records, of its own id alone', async () => {
    const server = await started();
    server.setRule('orders-value', 'NONE');
    const other = server.add('orders-value', { schema: JSON.stringify(record(NOTE)) });
    const mine = server.add('orders-value', { schema: JSON.stringify(first) });
    const proto = server.add('proto', { schema: orderProto.replace(/import.*\n/, ''), schemaType: 'PROTOBUF' });
    const registry = schemaRegistry({ url: server.url });
    const serde = readers(avro<unknown>(first, { registry }));
    await Promise.all([other, mine, proto].map((id) => registry.fetch(id)));
    const reading = (id: number) => () => readOf(serde, Buffer.from([0, 0, 0, 0, id, 10]));
    expect(reading(other)).toThrow(MalformedError);
    expect(reading(other)).toThrow(
      /what was written with schema 1 of schema registry http:\S+ cannot be read with the schema of this job: no matching field/,
    );
    expect(reading(proto)).toThrow(/schema 3 of schema registry http:\S+ is one of PROTOBUF, and no AVRO/);
    expect(reading(mine)()).toEqual({ id: 5 });
  });

  it.each([
    ['00000001', /4 bytes are no record with a schema's id before it/],
    ['010000000112', /the first byte is 0x01, and 0 where a schema's id follows/],
    ['0000000001', /avro: it ends before|truncated/],
  ])('%s is malformed', async (hex, message) => {
    const serde = readers(avroAt('mock://malformed', first));
    bytesOf(serde, { id: 1 });
    expect(() => readOf(serde, Buffer.from(hex, 'hex'))).toThrow(MalformedError);
    expect(() => readOf(serde, Buffer.from(hex, 'hex'))).toThrow(message);
  });
});

describe('Protobuf behind a registry', () => {
  it('registers the file and what it imports, and reads it by the place of the message', async () => {
    const server = await started();
    const registry = schemaRegistry({ url: server.url });
    const serde = written(protobuf(OrderSchema, { registry }));
    await serde.prepare?.();
    expect(server.versions('shop/money.proto')).toHaveLength(1);
    const [order] = server.versions('orders-value');
    expect(order).toMatchObject({
      schemaType: 'PROTOBUF',
      references: [{ name: 'shop/money.proto', subject: 'shop/money.proto', version: 1 }],
    });
    const bytes = bytesOf(serde, create(OrderSchema, { id: 7n } as never) as never);
    expect(bytes.toString('hex')).toBe('0000000002'.concat('0202', '0807'));
    const reader = readers(protobuf(OrderSchema, { registry }));
    expect(await readPrepared(reader, bytes, registry)).toMatchObject({ id: 7n });
    const another = Buffer.from('0000000002'.concat('00', '0807'), 'hex');
    expect(() => readOf(reader, another)).toThrow(/it is shop\.Refund, and no shop\.Order/);
    expect(() => readOf(reader, Buffer.from('0000000002'.concat('0212', '0807'), 'hex'))).toThrow(
      /the message 9, which its schema has not/,
    );
  });

  it('takes the .proto file as it is registered', async () => {
    const server = await started();
    server.add('shop/money.proto', { schema: moneyProto, schemaType: 'PROTOBUF' });
    const references = [{ name: 'shop/money.proto', subject: 'shop/money.proto', version: 1 }];
    const id = server.add('orders-value', { schema: orderProto, schemaType: 'PROTOBUF', references });
    const registry = schemaRegistry({ url: server.url });
    const reader = readers(protobuf(OrderSchema, { registry }));
    expect(await readPrepared(reader, Buffer.from([0, 0, 0, 0, id, 2, 2, 8, 7]), registry)).toMatchObject({ id: 7n });
    const money = written(protobuf(MoneySchema, { registry, subject: 'shop/money.proto', proto: moneyProto, register: false }));
    await money.prepare?.();
    expect(bytesOf(money, { $typeName: 'shop.Money', cents: 5n, currency: '' } as never).toString('hex')).toBe(
      '0000000001'.concat('00', '0805'),
    );
    expect(() => protobuf(MoneySchema, { registry, proto: orderProto })).toThrow(/proto has no message shop\.Money/);
    expect(() => protobuf(MoneySchema, { registry, proto: 'message {' })).toThrow(/proto is no \.proto file/);
  });
});

describe('JSON Schema', () => {
  const Order = z.object({ id: z.bigint(), note: z.string().default('none') });
  const document = { title: 'Order', type: 'object' };

  it('is registered for others; what is read is checked by the job, whatever schema it was written with', async () => {
    const server = await started();
    const registry = schemaRegistry({ url: server.url });
    const serde = jsonSchema(document, { check: Order, registry, largeIntegers: 'bigint', subjectNames: 'topic-record' });
    const sink = written(serde);
    await sink.prepare?.();
    expect(server.versions('orders-Order')).toEqual([{ schema: JSON.stringify(document), schemaType: 'JSON' }]);
    const bytes = bytesOf(sink, { id: 2n ** 60n, note: 'a' });
    expect(bytes.toString('latin1')).toBe('\0\0\0\0\u0001{"id":1152921504606846976,"note":"a"}');
    const source = readers(serde);
    expect(readOf(source, bytes)).toEqual({ id: 2n ** 60n, note: 'a' });
    const newer = Buffer.from('\0\0\0\0\u0009{"id":1152921504606846977,"more":1}', 'latin1');
    expect(readOf(source, newer)).toEqual({ id: 2n ** 60n + 1n, note: 'none' });
    expect(() => readOf(source, Buffer.from('\0\0\0\0\u0009{"id":5}', 'latin1'))).toThrow(/json: id: .*and it is 5/);
    expect(() => readOf(readers(jsonSchema(document, { registry })), newer)).toThrow(/1152921504606846977 of "id" would become/);
    expect(server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  it('refuses what is no JSON, and a name where there is none', () => {
    const registry = schemaRegistry({ url: 'mock://json' });
    expect(() => jsonSchema('{', { registry })).toThrow(/^jsonSchema: the schema is no JSON/);
    expect(() => jsonSchema('{}', { registry, subjectNames: 'record' })).toThrow(
      /^jsonSchema: subjectNames is "record", and must be topic where the schema has no name/,
    );
  });
});

describe('a registry', () => {
  it.each([
    [
      'is not there',
      { is: 'down' },
      /POST \/subjects\/orders-value: no answer from http:\S+: .*Nothing is left out: the epoch is tried again/,
    ],
    ['is too slow', { is: 'slow', ms: 2_000 }, /no answer within 50 ms/],
    [
      'fails',
      { is: 'answer', status: 500, body: '{"error_code":50001,"message":"Error in the backend datastore"}' },
      /answered 500, error 50001: Error in the backend/,
    ],
    ['has too much to do', { is: 'answer', status: 429, body: 'slow down' }, /answered 429: slow down/],
  ] as const)('that %s is to be asked again', async (_what, trouble, message) => {
    const server = await started();
    server.trouble = () => trouble;
    const timeoutMs = trouble.is === 'slow' ? 50 : 60_000;
    const problem = await problemOf(written(avroAt(server.url, first, { timeoutMs })).prepare?.());
    expect(problem.message).toMatch(message);
    expect(problem.retriable).toBe(true);
    const reading = await problemOf(schemaRegistry({ url: server.url, timeoutMs }).fetch(1));
    expect(reading.retriable).toBe(true);
  });

  it.each([
    ['is none', 200, '<html>', /the answer is 200: <html>\. Is there a schema registry at this url/],
    [
      'is elsewhere',
      404,
      'Not Found',
      /the answer is 404: Not Found\. Is there a schema registry at this url, and is the path before \/subjects part of it\?/,
    ],
    ['leads elsewhere', 302, '', /the answer is 302: nothing more/],
    ['answers something else', 200, '{"id":"one"}', /the answer is 200/],
  ])('that %s is for a person', async (_what, status, body, message) => {
    const server = await started();
    server.trouble = () => ({ is: 'answer', status, body });
    const problem = await problemOf(written(avroAt(server.url, first)).prepare?.());
    expect(problem.message).toMatch(message);
    expect(problem.retriable).toBe(false);
    expect((await problemOf(schemaRegistry({ url: server.url }).fetch(1))).retriable).toBe(false);
  });

  it('of several servers is asked at the next when one fails', async () => {
    const [one, other] = [await started(), await started()];
    one.trouble = () => ({ is: 'down' });
    const serde = written(avro<unknown>(first, { registry: schemaRegistry({ url: [`${one.url}/`, other.url] }) }));
    await serde.prepare?.();
    expect(other.versions('orders-value')).toHaveLength(1);
    other.trouble = () => ({ is: 'answer', status: 503, body: '' });
    expect((await problemOf(schemaRegistry({ url: [one.url, other.url] }).fetch(1))).message).toMatch(
      new RegExp(`${other.url} answered 503`),
    );
  });

  it('gets a login, and a new one when that is refused; never in a message', async () => {
    let password = 'first';
    const server = await started({ login: () => ({ user: 'job', password }) });
    let asked = 0;
    const login = async () => ({ user: 'job', password: asked++ === 0 ? 'first' : password });
    const registry = schemaRegistry({ url: server.url, login });
    await written(avro<unknown>(first, { registry })).prepare?.();
    password = 'second';
    await registry.fetch(1);
    expect(asked).toBe(2);
    password = 'third';
    const refused = await problemOf(schemaRegistry({ url: server.url, login: () => ({ token: 'secret' }) }).fetch(1));
    expect(refused.retriable).toBe(false);
    expect(refused.message).toMatch(
      /GET \/schemas\/ids\/1: the login is refused \(401: Unauthorized\)\. Give schemaRegistry a `login` that may do this$/,
    );
    expect(refused.message).not.toMatch(/secret/);
    const failing = schemaRegistry({ url: server.url, login: () => Promise.reject(new Error('no secret there')) });
    expect((await problemOf(failing.fetch(1))).message).toMatch(/its `login` throws: no secret there/);
  });

  it('is spoken to by TLS, with the authority that is named', async () => {
    const server = await started({ tls: { key: testKey, cert: testCertificate } });
    await written(avroAt(server.url, first, { tls: { ca: testCertificate } })).prepare?.();
    expect(server.versions('orders-value')).toHaveLength(1);
    const problem = await problemOf(written(avroAt(server.url, first, { tls: { ca: anotherAuthority } })).prepare?.());
    expect(problem.message).toMatch(/certificate/);
  });

  it.each([
    [{ url: 'registry:8081' }, /^schemaRegistry: url is "registry:8081", and must be http:\/\/… or https:\/\/…/],
    [{ url: [] }, /url is \[\], and must be one url at least/],
    [{ url: 'https://me:secret@registry' }, /url is one with a user in it, and must be without user and password: give them by `login`$/],
    [{ url: 'http://registry?a=b' }, /without \? and #/],
    [{ url: 'http://registry', tls: {} }, /tls is given, and must be of https/],
    [{ url: 'http://registry', login: 'me' as never }, /login is no function/],
    [{ url: 'http://registry', timeoutMs: 0 }, /timeoutMs is 0, and must be a whole number from 1 to 60000/],
  ])('is refused when the job is defined: %j', (options, message) => {
    expect(() => schemaRegistry(options)).toThrow(JobDefinitionError);
    expect(() => schemaRegistry(options)).toThrow(message);
  });

  it.each([
    [{ registry: 5 as never }, /^avro: registry is "number", and must be a registry/],
    [{ subject: '' }, /^avro: subject is "", and must be a name/],
    [
      { subjectNames: 'RecordNameStrategy' as 'record' },
      /^avro: subjectNames is "RecordNameStrategy", and must be topic, record or topic-record/,
    ],
    [{ register: 'yes' as never }, /^avro: register is "yes", and must be true or false/],
  ])('is used as it can be: not with %j', (use, message) => {
    const registry = schemaRegistry({ url: 'mock://checks' });
    expect(() => avro(first, { registry, ...use })).toThrow(message);
  });

  it('in this process answers at once, and is one for all that name it', () => {
    const one = avroAt('mock://shared', first);
    const other = avroAt('mock://shared', record(ID, { ...NOTE, default: 'none' }));
    expect(readOf(readers(other), bytesOf(readers(one), { id: 5 }))).toEqual({ id: 5, note: 'none' });
    expect(() => readOf(readers(avroAt('mock://another', first)), bytesOf(readers(one), { id: 5 }))).toThrow(
      /mock:\/\/another has no schema 1/,
    );
  });
});
