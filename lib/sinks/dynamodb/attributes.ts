import { nameOf } from '../../format/byte-writer.ts';
import type { Attribute, Item } from '../../ports/item-tables.ts';

const MOST_DIGITS = 38;
/** Powers of ten of the first digit. */
const LEAST_POWER = -130;
const MOST_POWER = 125;
const MOST_NAME_BYTES = 65_535;
const MOST_DEPTH = 32;

/** An item in DynamoDB's own JSON. Throws `TypeError`, with the path to it, for what it cannot hold. */
export function itemOf(value: unknown, path: string): Item {
  if (!isPlainObject(value)) throw new TypeError(`${path} is ${nameOf(value)}, and must be an object of attributes`);
  return mapOf(value, path, 1);
}

function mapOf(value: Readonly<Record<string, unknown>>, path: string, depth: number): Item {
  const attributes = Object.entries(value).flatMap(([name, each]): [string, Attribute][] =>
    each === undefined ? [] : [[nameIn(name, path), attributeOf(each, `${path}.${name}`, depth)]],
  );
  return Object.fromEntries(attributes);
}

function nameIn(name: string, path: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MOST_NAME_BYTES)
    throw new TypeError(`${path} has an attribute whose name has ${bytes} bytes, and DynamoDB takes 1 to ${MOST_NAME_BYTES}`);
  return wellFormed(name, `a name in ${path}`);
}

function attributeOf(value: unknown, path: string, depth: number): Attribute {
  if (depth > MOST_DEPTH) throw new TypeError(`${path} is nested deeper than ${MOST_DEPTH} levels, which DynamoDB does not take`);
  switch (typeof value) {
    case 'string':
      return { S: wellFormed(value, path) };
    case 'number':
    case 'bigint':
      return { N: numberOf(value, path) };
    case 'boolean':
      return { BOOL: value };
    default:
      if (value === null) return { NULL: true };
      if (value instanceof Uint8Array) return { B: base64(value) };
      if (value instanceof Set) return setOf([...value], path);
      if (Array.isArray(value)) return { L: value.map((each: unknown, index) => attributeOf(each, `${path}[${index}]`, depth + 1)) };
      if (isPlainObject(value)) return { M: mapOf(value, path, depth + 1) };
      throw new TypeError(`${path} is ${nameOf(value)}, which DynamoDB does not hold: write it as a string or a number`);
  }
}

function setOf(values: readonly unknown[], path: string): Attribute {
  if (values.length === 0) throw new TypeError(`${path} is an empty set, which DynamoDB does not hold: leave the attribute out`);
  if (values.every((each) => typeof each === 'string')) return { SS: values.map((each) => wellFormed(each, path)) };
  if (values.every((each) => typeof each === 'number' || typeof each === 'bigint'))
    return { NS: [...new Set(values.map((each) => numberOf(each, path)))] };
  // Equal bytes are one, though JavaScript's set tells them apart; as are 1 and 1n.
  if (values.every((each) => each instanceof Uint8Array)) return { BS: [...new Set(values.map(base64))] };
  throw new TypeError(`${path} is a set of several kinds: DynamoDB holds sets of strings, of numbers, or of bytes`);
}

/** Equal numbers have the same text, whether they are bigints or not. */
function numberOf(value: number | bigint, path: string): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${path} is ${value}, which DynamoDB does not hold`);
  const text = Object.is(value, -0) ? '0' : String(value);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+|0+$/g, '');
  if (digits.length > MOST_DIGITS)
    throw new TypeError(`${path} has ${digits.length} digits, and DynamoDB keeps ${MOST_DIGITS}: write it as a string`);
  const power = whole.length + Number(exponent) - 1 - (all.length - all.replace(/^0+/, '').length);
  if (digits !== '' && (power < LEAST_POWER || power > MOST_POWER))
    throw new TypeError(
      `${path} is ${digits[0]}… × 10^${power}, and DynamoDB holds 10^${LEAST_POWER} to 10^${MOST_POWER}: write it as a string`,
    );
  return text.includes('e+') ? sign + digits.padEnd(power + 1, '0') : text;
}

function wellFormed(text: string, path: string): string {
  if (!text.isWellFormed()) throw new TypeError(`${path} has half a surrogate pair, which UTF-8 cannot express`);
  return text;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The bytes that DynamoDB counts of an item, or a little more. */
export function sizeOfItem(item: Item): number {
  return Object.entries(item).reduce((sum, [name, attribute]) => sum + Buffer.byteLength(name) + sizeOf(attribute), 0);
}

function sizeOf(attribute: Attribute): number {
  if ('S' in attribute) return Buffer.byteLength(attribute.S);
  if ('N' in attribute) return numberBytes(attribute.N);
  if ('B' in attribute) return bytesIn(attribute.B);
  if ('SS' in attribute) return attribute.SS.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  if ('NS' in attribute) return attribute.NS.reduce((sum, each) => sum + numberBytes(each), 0);
  if ('BS' in attribute) return attribute.BS.reduce((sum, each) => sum + bytesIn(each), 0);
  if ('L' in attribute) return attribute.L.reduce((sum, each) => sum + 1 + sizeOf(each), 3);
  if ('M' in attribute) return 3 + sizeOfItem(attribute.M) + Object.keys(attribute.M).length;
  return 1;
}

function numberBytes(text: string): number {
  return Math.ceil(text.length / 2) + 2;
}

function bytesIn(text: string): number {
  return Buffer.byteLength(text, 'base64');
}
