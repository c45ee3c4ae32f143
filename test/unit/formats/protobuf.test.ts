import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { JobDefinitionError, MalformedError } from '../../../lib/api/index.ts';
import { indexBytes, readIndexes } from '../../../lib/formats/protobuf/message-indexes.ts';
import { messageAt, messageNamesOf, placesOf } from '../../../lib/formats/protobuf/message-names.ts';
import { protobuf } from '../../../lib/formats/protobuf.ts';
import { LineSchema, MoneySchema, NewerOrderSchema, OrderSchema, orderProto, RefundSchema } from '../../support/shop-proto.ts';
import { bytesOf, readOf } from './bytes.ts';

const made = (schema: DescMessage, value: object) => create(schema, value as never) as MessageShape<DescMessage>;
const order = made(OrderSchema, {
  id: 2n ** 63n - 1n,
  lines: [{ sku: 'é', count: -(2n ** 63n) }],
  prices: { a: { cents: 5n, currency: 'EUR' } },
  paid: { case: 'at', value: 2n ** 64n - 1n },
  raw: new Uint8Array([1, 2]),
});

describe('protobuf', () => {
  it('gives back what was written, with whole numbers of 64 bits as bigints', () => {
    const serde = protobuf(OrderSchema);
    const bytes = bytesOf(serde, order);
    const read = readOf(serde, bytes);
    expect(read).toEqual(order);
    bytes.fill(0);
    expect(read, 'it has no view on what was read').toEqual(order);
  });

  it('keeps what a newer version has, and reads what an older one has not', () => {
    const newer = made(NewerOrderSchema, { id: 7n, note: 'new' });
    const passedOn = bytesOf(protobuf(OrderSchema), readOf(protobuf(OrderSchema), bytesOf(protobuf(NewerOrderSchema), newer)));
    expect(readOf(protobuf(NewerOrderSchema), passedOn)).toEqual(newer);
    expect(readOf(protobuf(NewerOrderSchema), bytesOf(protobuf(OrderSchema), made(OrderSchema, { id: 7n })))).toMatchObject({
      id: 7n,
      note: '',
    });
  });

  it.each([
    ['what create has not made', { id: 7n }, /expected a message that create\(…\) makes, got Object/],
    ['another message', made(RefundSchema, { order: 7n }), /got shop\.Refund/],
    [
      'a number that may have lost digits',
      made(OrderSchema, { id: 2 ** 53 }),
      /id is the number 9007199254740992, which may have lost digits/,
    ],
    ['one within a list', made(OrderSchema, { lines: [{ count: 2 ** 60 }] }), /lines\.0\.count is the number/],
    ['one within a map', made(OrderSchema, { prices: { a: { cents: 2 ** 60 } } }), /prices\.a\.cents is the number/],
    ['one of several', made(OrderSchema, { paid: { case: 'at', value: 2 ** 60 } }), /at is the number/],
    ['more than 64 bits', made(OrderSchema, { id: 2n ** 63n }), /id/],
    ['half a surrogate pair', made(OrderSchema, { lines: [{ sku: '\ud800' }] }), /lines\.0\.sku has half a surrogate pair/],
  ])('refuses to write %s', (_what, value, message) => {
    const writing = expect(() => bytesOf(protobuf(OrderSchema), value as MessageShape<DescMessage>));
    writing.toThrow(TypeError);
    writing.toThrow(message);
  });

  it.each(['08', '12', '0a02ff', '1202ff41', '0f', 'ffffffffffffffffffffff'])('reads no message from %s', (hex) => {
    expect(() => readOf(protobuf(LineSchema), Buffer.from(hex, 'hex'))).toThrow(MalformedError);
  });

  it('refuses what is no schema of a message when the job is defined', () => {
    expect(() => protobuf(undefined as never)).toThrow(JobDefinitionError);
    expect(() => protobuf({ typeName: 'shop.Order' } as never)).toThrow(/protobuf: schema is Object, and must be a message's/);
  });
});

describe('which message of its file a record is', () => {
  it.each([
    [[0], '00'],
    [[1], '0202'],
    [[1, 0], '040200'],
    [[200, 3], '04900306'],
  ])('%j is written as %s', (path, hex) => {
    expect(indexBytes(path).toString('hex')).toBe(hex);
    const behind = Buffer.from(`${hex}ff`, 'hex');
    expect(readIndexes(behind, 0, behind.length)).toEqual({ path, at: behind.length - 1 });
  });

  it('is the first too where all of it is said', () => {
    expect(readIndexes(Buffer.from('0200', 'hex'), 0, 2)).toEqual({ path: [0], at: 2 });
  });

  it.each(['', '04', '0402', '01', '0201', 'ffffffffffffffff', 'f0ff7f00'])('%s says nothing', (hex) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(() => readIndexes(bytes, 0, bytes.length)).toThrow(MalformedError);
  });

  it('is found by its place, in the source of the file as in its descriptor, where entries of maps do not count', () => {
    const source = messageNamesOf(orderProto);
    expect(source).toEqual({
      package: 'shop',
      messages: [
        { name: 'Refund', messages: [] },
        {
          name: 'Order',
          messages: [
            { name: 'Line', messages: [] },
            { name: 'Unused', messages: [] },
          ],
        },
      ],
    });
    const descriptor = toBinary(FileDescriptorProtoSchema, OrderSchema.file.proto);
    const unused = { name: 'Unused', messages: [] };
    expect(messageNamesOf(Buffer.from(descriptor).toString('base64'))).toEqual(source);
    expect(messageNamesOf(orderProto.replace('enum State', 'message Unused {} enum State')).messages[0]).toEqual(unused);
    expect(placesOf(source, 'shop.Order.Line')).toEqual([1, 0]);
    expect(placesOf(source, 'shop.Order.Unused')).toEqual([1, 1]);
    expect(placesOf(source, 'Order')).toBeUndefined();
    expect(messageAt(source, [1, 0])).toBe('shop.Order.Line');
    expect(messageAt(source, [2])).toBeUndefined();
    expect(messageNamesOf('message A { optional group Inner = 1 { message B {} } }')).toEqual({
      package: '',
      messages: [{ name: 'A', messages: [{ name: 'Inner', messages: [{ name: 'B', messages: [] }] }] }],
    });
    expect(messageNamesOf('edition = "2024"; export message A { local message B {} } local enum E {} local message C {}')).toEqual({
      package: '',
      messages: [
        { name: 'A', messages: [{ name: 'B', messages: [] }] },
        { name: 'C', messages: [] },
      ],
    });
    expect(() => messageNamesOf('message A {')).toThrow(/does not close/);
    expect(() => messageNamesOf('syntax = "proto3";')).toThrow(/no message/);
    expect(protobuf(MoneySchema).name).toBe('protobuf shop.Money');
  });
});
