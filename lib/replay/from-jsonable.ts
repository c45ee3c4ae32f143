import { AS_IT_IS } from './jsonable.ts';

/** What `jsonable` has made of a value, as that again: bytes, a bigint, a number that JSON lacks. A Map stays a list of entries. */
export function fromJsonable(said: unknown): unknown {
  if (typeof said !== 'object' || said === null) return said;
  if (Array.isArray(said)) return said.map(fromJsonable);
  const entries = Object.entries(said);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === AS_IT_IS && isPlain(first[1])) return ownOf(first[1]);
  if (entries.length === 1 && first !== undefined && typeof first[1] === 'string') {
    const [name, text] = first;
    if (name === 'base64') return Buffer.from(text, 'base64');
    if (name === 'bigint' && /^-?\d+$/.test(text)) return BigInt(text);
    if (name === 'number' && ['NaN', 'Infinity', '-Infinity'].includes(text)) return Number(text);
  }
  return ownOf(said);
}

function ownOf(said: object): unknown {
  return Object.fromEntries(Object.entries(said).map(([name, of]) => [name, fromJsonable(of)]));
}

function isPlain(said: unknown): said is object {
  return typeof said === 'object' && said !== null && !Array.isArray(said);
}
