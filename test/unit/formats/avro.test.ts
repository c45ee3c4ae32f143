import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { JobDefinitionError, MalformedError, type Serde } from '../../../lib/api/index.ts';
import { avro } from '../../../lib/formats/avro.ts';
import { bytesOf, readOf } from './bytes.ts';

interface Order {
  readonly id: bigint;
  readonly note: string | null;
  readonly tags: readonly string[];
  readonly prices: Readonly<Record<string, bigint>>;
  readonly seen: bigint | null;
  readonly raw: Uint8Array;
}

const orderSchema = {
  type: 'record',
  name: 'shop.Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'prices', type: { type: 'map', values: 'long' } },
    { name: 'seen', type: ['null', 'long'], default: null },
    { name: 'raw', type: 'bytes' },
  ],
};
const order: Order = { id: 2n ** 63n - 1n, note: 'hé', tags: ['a', ''], prices: { x: -(2n ** 63n) }, seen: 5n, raw: Buffer.from('raw') };
const record = (fields: readonly object[], more: object = {}) => ({ type: 'record', name: 'shop.Order', fields, ...more });

describe('avro', () => {
  it('gives back what was written, as plain objects', () => {
    const serde = avro<Order>(orderSchema, { longs: 'bigint' });
    expectTypeOf(serde).toEqualTypeOf<Serde<Order>>();
    const read = readOf(serde, bytesOf(serde, order));
    expect(read).toEqual(order);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    const longer = { ...order, tags: Array.from({ length: 5_000 }, (_, index) => `tag ${index}`) };
    expect(readOf(serde, bytesOf(serde, longer))).toEqual(longer);
  });

  it('writes what avsc writes, and reads it', () => {
    const type = avsc.Type.forSchema(orderSchema as avsc.Schema);
    const theirs = { id: 12, note: null, tags: ['x'], prices: { a: 2 ** 40 }, seen: null, raw: Buffer.from([7]) };
    const serde = avro<unknown>(JSON.stringify(orderSchema));
    expect(bytesOf(serde, theirs)).toEqual(type.toBuffer(theirs));
    expect(readOf(serde, type.toBuffer(theirs))).toEqual(theirs);
  });

  it('has names in which a changed schema is another, as a state needs it', () => {
    const longer = record([...orderSchema.fields, { name: 'more', type: 'string' }]);
    expect(avro(orderSchema).name).toMatch(/^avro shop\.Order [0-9a-f]{16}$/);
    expect(avro(orderSchema, { longs: 'bigint' }).name).toBe(avro({ ...orderSchema, doc: 'the same' }).name);
    expect(avro(longer).name).not.toBe(avro(orderSchema).name);
    expect(avro('long', { longs: 'bigint' }).name).toMatch(/^avro long /);
  });

  it('reads what was written with an older or a newer schema by its own', () => {
    const older = record([{ name: 'id', type: 'int' }]);
    const newer = record([
      { name: 'extra', type: { type: 'array', items: 'string' } },
      { name: 'id', type: 'long' },
      { name: 'label', type: 'string' },
    ]);
    const mine = record([
      { name: 'id', type: 'long' },
      { name: 'note', aliases: ['label'], type: 'string', default: 'none' },
    ]);
    const reading = (writer: object) => avro<unknown>(mine, { writer, longs: 'bigint' });
    expect(readOf(reading(older), bytesOf(avro<unknown>(older), { id: 7 }))).toEqual({ id: 7n, note: 'none' });
    const written = bytesOf(avro<unknown>(newer), { extra: ['a', 'b'], id: 8, label: 'hello' });
    expect(readOf(reading(newer), written)).toEqual({ id: 8n, note: 'hello' });
  });

  it('uses types that are defined elsewhere', () => {
    const money = { name: 'shop.Money', schema: record([{ name: 'cents', type: 'long' }], { name: 'shop.Money' }) };
    const serde = avro<unknown>(record([{ name: 'price', type: 'shop.Money' }]), { references: [money] });
    expect(readOf(serde, bytesOf(serde, { price: { cents: 5 } }))).toEqual({ price: { cents: 5 } });
  });

  it('takes logical types', () => {
    class Instant extends avsc.types.LogicalType {
      protected override _fromValue(value: number): Date {
        return new Date(value);
      }
      protected override _toValue(value: Date): number {
        return value.getTime();
      }
    }
    const logicalTypes = { 'timestamp-millis': Instant };
    const schema = record([{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }]);
    const serde = avro<unknown>(schema, { logicalTypes });
    expect(readOf(serde, bytesOf(serde, { at: new Date(1_700_000_000_000) }))).toEqual({ at: new Date(1_700_000_000_000) });
    expect(readOf(avro<unknown>(schema), bytesOf(serde, { at: new Date(5) }))).toEqual({ at: 5 });
  });

  it.each([
    ['no schema', () => avro({ type: 'recrod' }), /^avro: schema is no Avro schema: .*recrod/],
    ['a name that nothing defines', () => avro(record([{ name: 'a', type: 'shop.Money' }])), /undefined type name: shop\.Money/],
    ['a text that is no JSON', () => avro('{'), /^avro: schema is no Avro schema: /],
    [
      'longs of another kind',
      () => avro('long', { longs: 'string' as 'number' }),
      /^avro: longs is "string", and must be number or bigint/,
    ],
    [
      'a writer that cannot be read',
      () => avro(record([{ name: 'a', type: 'string' }]), { writer: record([]) }),
      /no matching field for default-less/,
    ],
    ['a field called __proto__', () => avro(record([{ name: '__proto__', type: 'string' }])), /__proto__/],
  ])('refuses %s when the job is defined', (_what, define, message) => {
    expect(define).toThrow(JobDefinitionError);
    expect(define).toThrow(message);
  });

  it('says path and value of what it does not write', () => {
    const writing = (value: unknown) => expect(() => bytesOf(avro<unknown>(orderSchema, { longs: 'bigint' }), value));
    writing({ ...order, id: 5 }).toThrow(/^avro shop\.Order \w+: id is 5, and no long$/);
    writing({ ...order, tags: ['a', 3n] }).toThrow(/: tags\.1 is 3n, and no string$/);
    writing({ ...order, note: 'half \ud800' }).toThrow(/half a surrogate pair/);
    writing({}).toThrow(/: id is undefined, and no long$/);
    expect(() => bytesOf(avro<unknown>('string'), 5)).toThrow(TypeError);
  });
});

describe('longs', () => {
  it('are exact to the last digit, as bigints and as numbers', () => {
    const big = avro<bigint>('long', { longs: 'bigint' });
    const small = avro<number>('long');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = bytesOf(big, value);
        expect(bytes).toEqual(varint(value));
        expect(readOf(big, bytes)).toBe(value);
      }),
    );
    const near = [2 ** 27, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER].flatMap((n) => [n, n - 1, -n, 1 - n]);
    for (const value of [...near, ...fc.sample(fc.maxSafeInteger(), 500)]) {
      const bytes = bytesOf(small, value);
      expect(bytes).toEqual(varint(BigInt(value)));
      expect(readOf(small, bytes)).toBe(value);
    }
  });

  it('that a number cannot hold are refused, written and read, also where a double is wanted', () => {
    const written = bytesOf(avro<bigint>('long', { longs: 'bigint' }), 2n ** 53n + 1n);
    expect(() => readOf(avro('long'), written)).toThrow(MalformedError);
    expect(() => readOf(avro('long'), written)).toThrow(
      /the long 9007199254740993 is outside ±\(2\^53 - 1\): read it with longs: 'bigint'/,
    );
    expect(() => bytesOf(avro<number>('long'), 2 ** 53)).toThrow(TypeError);
    expect(() => bytesOf(avro<bigint>('long', { longs: 'bigint' }), 2n ** 63n)).toThrow(TypeError);
    for (const wanted of ['double', 'float']) {
      const serde = avro(record([{ name: 'n', type: wanted }]), { writer: record([{ name: 'n', type: 'long' }]) });
      expect(() => readOf(serde, written)).toThrow(/outside/);
      expect(readOf(serde, Buffer.from([4]))).toEqual({ n: 2 });
    }
  });

  it('of a default that has lost digits are refused', () => {
    const schema = record([{ name: 'n', type: 'long', default: 2 ** 53 }]);
    expect(() => readOf(avro(schema, { longs: 'bigint', writer: record([]) }), Buffer.alloc(0))).toThrow();
  });
});

describe('bytes that hold no value', () => {
  const arrays = avro({ type: 'array', items: 'string' });
  const passed = avro(record([{ name: 'n', type: 'int', default: 0 }]), {
    writer: record([
      { name: 'a', type: { type: 'array', items: 'string' } },
      { name: 'm', type: { type: 'map', values: 'null' } },
      { name: 'n', type: 'int' },
    ]),
  });

  it.each([
    ['less than there should be', avro('string'), '0861'],
    ['more', avro('int'), '0200'],
    ['a string that is not UTF-8', avro('string'), '04c328'],
    ['two billion entries in three bytes', arrays, '80808080100061'],
    ['as many that are passed over', passed, '80808080100061'],
    ['a billion entries that take no bytes', avro({ type: 'array', items: 'null' }), '808080800800'],
    ['a branch that its union has not', avro(['null', 'string']), '08'],
    ['a long that does not end', avro('long'), 'ffffffffffffffffffffffff01'],
    [
      'a map with a key under which an object keeps nothing',
      avro({ type: 'map', values: 'int' }),
      `0212${Buffer.from('__proto__').toString('hex')}0200`,
    ],
  ])('%s: are malformed', (_what, serde, hex) => {
    expect(() => readOf(serde as Serde<unknown>, Buffer.from(hex, 'hex'))).toThrow(MalformedError);
  });

  it('are malformed or give a value, whatever they are, and at once', () => {
    const serdes = [avro(orderSchema, { longs: 'bigint' }), passed, arrays] as Serde<unknown>[];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...serdes), (bytes, serde) => {
        try {
          readOf(serde, Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** As the specification says, from a bigint. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value < 0n ? -value * 2n - 1n : value * 2n;
  for (; rest > 127n; rest /= 128n) bytes.push(Number(rest % 128n) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
