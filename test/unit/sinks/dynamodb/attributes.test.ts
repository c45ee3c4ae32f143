import { describe, expect, it } from 'vitest';
import { itemOf, sizeOfItem } from '../../../../lib/sinks/dynamodb/attributes.ts';
import { checkIndexKeys, keyIn, ledgerFault, ledgerOf, textOfKey } from '../../../../lib/sinks/dynamodb/keys.ts';

const of = (value: unknown) => itemOf({ a: value }, 'put')['a'];

it.each<[unknown, unknown]>([
  ['text', { S: 'text' }],
  [1.5, { N: '1.5' }],
  [-0, { N: '0' }],
  [2n ** 64n, { N: '18446744073709551616' }],
  [1e21, { N: '1000000000000000000000' }],
  [-1.5e22, { N: '-15000000000000000000000' }],
  [1e-7, { N: '1e-7' }],
  [9.5e125, { N: `95${'0'.repeat(124)}` }],
  [1e-130, { N: '1e-130' }],
  [10n ** 40n, { N: '10000000000000000000000000000000000000000' }],
  [true, { BOOL: true }],
  [null, { NULL: true }],
  [new Uint8Array([1, 2]), { B: 'AQI=' }],
  [new Set(['x']), { SS: ['x'] }],
  [new Set([1, 2n]), { NS: ['1', '2'] }],
  [new Set([1, 1n, 1e21, 10n ** 21n]), { NS: ['1', '1000000000000000000000'] }],
  [new Set([new Uint8Array([1])]), { BS: ['AQ=='] }],
  [new Set([new Uint8Array([1]), new Uint8Array([1])]), { BS: ['AQ=='] }],
  [[1, 'x'], { L: [{ N: '1' }, { S: 'x' }] }],
  [{ b: { c: 1 }, gone: undefined }, { M: { b: { M: { c: { N: '1' } } } } }],
])('%o is held as %j', (value, attribute) => {
  expect(of(value)).toEqual(attribute);
});

it.each<[unknown, RegExp]>([
  [Number.NaN, /put\.a is NaN, which DynamoDB does not hold/],
  [Number.POSITIVE_INFINITY, /Infinity/],
  [2n ** 128n, /put\.a has 39 digits, and DynamoDB keeps 38/],
  [1e126, /put\.a is 1… × 10\^126, and DynamoDB holds 10\^-130 to 10\^125/],
  [-2.5e-131, /10\^-131/],
  [10n ** 126n, /10\^126/],
  [{ '': 1 }, /put\.a has an attribute whose name has 0 bytes/],
  [{ '\ud800': 1 }, /a name in put\.a has half a surrogate pair/],
  [new Date(), /put\.a is Date, which DynamoDB does not hold/],
  [new Map(), /Map/],
  [new Set(), /an empty set/],
  [new Set([1, 'x']), /several kinds/],
  [{ b: [{ c: new Date() }] }, /put\.a\.b\[0\]\.c is Date/],
  ['\ud800', /half a surrogate pair/],
  [Array.from({ length: 40 }).reduce((inner) => [inner], 1), /nested deeper than 32/],
])('%o is refused, with the path to it', (value, message) => {
  expect(() => of(value)).toThrow(message);
});

it('has names of 65,535 bytes at most', () => {
  const most = 'ä'.repeat(32_767);
  expect(of({ [`${most}x`]: 1 })).toEqual({ M: { [`${most}x`]: { N: '1' } } });
  expect(() => of({ [`${most}ä`]: 1 })).toThrow('put.a has an attribute whose name has 65536 bytes, and DynamoDB takes 1 to 65535');
});

it('is refused when it is no object at all', () => {
  expect(() => itemOf('text', 'put')).toThrow('put is string, and must be an object of attributes');
});

it('counts names and values', () => {
  expect(sizeOfItem(itemOf({ ab: 'xyz', n: 12, b: new Uint8Array(10), l: ['x'], t: true }, 'put'))).toBe(
    2 + 3 + (1 + 3) + (1 + 10) + (1 + 3 + 2) + 2,
  );
});

describe('keys', () => {
  const keys = { partition: { name: 'pk', type: 'S' }, sort: { name: 'n', type: 'N' } } as const;

  it('are of the table’s names and types, and what lacks one is refused', () => {
    const item = itemOf({ pk: 'a', n: 1, more: 'x' }, 'put');
    expect(keyIn(item, keys, 'rows')).toEqual({ pk: { S: 'a' }, n: { N: '1' } });
    expect(keyIn(itemOf({ pk: 'x'.repeat(2048), n: 1 }, 'put'), keys, 'rows').pk).toEqual({ S: 'x'.repeat(2048) });
    for (const [bad, which] of [
      [{ n: 1 }, 'partition key pk of type S'],
      [{ pk: 'a' }, 'sort key n of type N'],
      [{ pk: '', n: 1 }, 'partition key pk'],
      [{ pk: 1, n: 1 }, 'partition key pk'],
      [{ pk: 'x'.repeat(2049), n: 1 }, 'of 1 to 2048 bytes'],
    ] as const)
      expect(() => keyIn(itemOf(bad, 'put'), keys, 'rows')).toThrow(which);
  });

  it('of an index may be missing, and must else be of its type', () => {
    const indexKeys = [
      { name: 'status', type: 'S', index: 'by-status', of: 'partition' },
      { name: 'at', type: 'N', index: 'by-status', of: 'sort' },
    ] as const;
    const check = (item: object) => checkIndexKeys(itemOf({ pk: 'a', n: 1, ...item }, 'put'), { ...keys, indexKeys }, 'rows');
    for (const good of [{}, { status: 'open' }, { at: 5 }, { status: 'open', at: 5 }]) expect(() => check(good)).not.toThrow();
    for (const bad of [{ status: null }, { status: '' }, { status: 5 }, { at: '5' }, { status: 'x'.repeat(2049) }])
      expect(() => check(bad)).toThrow(/table rows has the index by-status by (status|at), of type [SN]/);
  });

  it('are one when all their attributes are', () => {
    const text = (n: number) => textOfKey(itemOf({ n, pk: 'a' }, 'put'), keys);
    expect(text(1)).toBe(textOfKey(itemOf({ pk: 'a', n: 1, more: 1 }, 'put'), keys));
    expect(text(1)).not.toBe(text(2));
    expect(textOfKey(itemOf({ pk: 'a', n: 10n ** 21n }, 'put'), keys)).toBe(text(1e21));
  });

  it('of a ledger name job, incarnation, sink and subtask', () => {
    const place = { job: 'j', incarnation: 'i', sink: 's', subtask: 2, epoch: 9 };
    expect(ledgerOf('rows', keys, place)).toEqual({ table: 'rows', key: { pk: { S: 'onceflow#j#i#s#2' }, n: { N: '0' } } });
    expect(ledgerFault(keys)).toBeUndefined();
    expect(ledgerFault({ partition: { name: 'id', type: 'N' } })).toBe('its partition key id is a number');
  });
});

it('has 32 levels below its attributes at most', () => {
  const nested = (levels: number) => Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);
  expect(() => of(nested(31))).not.toThrow();
  expect(() => of(nested(32))).toThrow(/nested deeper than 32/);
});
