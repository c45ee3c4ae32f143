import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import type { Serde } from '../../../lib/api/index.ts';
import { json } from '../../../lib/api/index.ts';
import { ByteWriter } from '../../../lib/format/byte-writer.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';

const read = <T>(serde: Serde<T>, text: string): T => serde.read(Buffer.from(text), 0, Buffer.byteLength(text));
const order = z.object({ id: z.string(), lines: z.array(z.object({ cents: z.int() })), note: z.string().default('none') });

describe('json with a schema', () => {
  it('reads what the schema makes of a value, and has its type', () => {
    const serde = json(order);
    expectTypeOf(serde).toEqualTypeOf<Serde<{ id: string; lines: { cents: number }[]; note: string }>>();
    expect(read(serde, '{"id":"a","lines":[{"cents":5}],"more":1}')).toEqual({ id: 'a', lines: [{ cents: 5 }], note: 'none' });
    expectTypeOf(json<{ n: number }>()).toEqualTypeOf<Serde<{ n: number }>>();
    // @ts-expect-error -- not what the schema says
    json(order).write({ id: 5 }, new ByteWriter());
  });

  it('says path and value of what does not fit', () => {
    const failing = (text: string) => expect(() => read(json(order), text));
    failing('{"id":"a","lines":[{"cents":5},{"cents":"six"}]}').toThrow(MalformedError);
    failing('{"id":"a","lines":[{"cents":5},{"cents":"six"}]}').toThrow(/^json: lines\.1\.cents: .*number.*, and it is "six"$/);
    failing('{"lines":[]}').toThrow(/json: id: .*, and it is undefined/);
    failing('7').toThrow(/json: the value: .*, and it is 7/);
    const many = JSON.stringify({ id: 'a', lines: [1, 2, 3, 4, 5] });
    failing(many).toThrow(/lines\.0: .*lines\.2: .*; and 2 more$/);
    failing(JSON.stringify({ id: ['x'.repeat(500)], lines: [] })).toThrow(/and it is \["x{78}…$/);
  });

  it('takes any that keeps to the standard, also one that is a function, with the options beside it', () => {
    const even = Object.assign(() => {}, {
      '~standard': {
        version: 1,
        vendor: 'of this test',
        validate: (value: unknown) =>
          typeof value === 'bigint' ? { value } : { issues: [{ message: 'must be large', path: [{ key: 'n' }] }] },
      },
    } as const);
    expect(read(json(even, { largeIntegers: 'bigint' }), '12345678901234567890')).toBe(12345678901234567890n);
    expect(() => read(json(even), '{"n":8}')).toThrow('json: n: must be large, and it is 8');
  });

  it('takes a path as it is, also one of a class of its own that `map` would lengthen, as in arktype', () => {
    class Path extends Array<PropertyKey> {
      constructor(...keys: PropertyKey[]) {
        super();
        this.push(...keys);
      }
    }
    expect(new Path().map(String)).toEqual(new Path(0));
    const failingAt = (...keys: string[]) =>
      json({ '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no', path: new Path(...keys) }] }) } });
    expect(() => read(failingAt(), '7')).toThrow('json: the value: no, and it is 7');
    expect(() => read(failingAt('a', 'b'), '{"a":{"b":5}}')).toThrow('json: a.b: no, and it is 5');
  });

  it('refuses a schema that answers later', () => {
    const later = z.string().refine(async () => true);
    expect(() => read(json(later), '"a"')).toThrow(/asynchronously|promise/i);
  });
});
