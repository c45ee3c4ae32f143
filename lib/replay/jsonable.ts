/** What is in such an object is one of the job's own. */
export const AS_IT_IS = '@object';
const MARKS: ReadonlySet<string> = new Set(['base64', 'bigint', 'number']);

/**
 * A value of a job's own as what JSON can say, for people and scripts: a Map becomes a list of entries, a Set a list, bytes `{ base64 }`, a
 * bigint `{ bigint }`, a number that JSON lacks `{ number }`. An object that looks like one of these is `{ "@object": … }`. What is undefined is null.
 */
export function jsonable(value: unknown): unknown {
  switch (typeof value) {
    case 'undefined':
    case 'function':
    case 'symbol':
      return null;
    case 'bigint':
      return { bigint: `${value}` };
    case 'number':
      return Number.isFinite(value) ? value : { number: `${value}` };
    case 'object':
      return value === null ? null : jsonableObject(value);
    default:
      return value;
  }
}

function jsonableObject(value: object): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (value instanceof Map) return [...value].map(([key, of]) => [jsonable(key), jsonable(of)]);
  if (value instanceof Set || Array.isArray(value)) return [...value].map(jsonable);
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON() as unknown;
  const entries = Object.entries(value)
    .filter(([, of]) => of !== undefined)
    .map(([name, of]) => [name, jsonable(of)] as const);
  const own = Object.fromEntries(entries);
  const [only] = entries;
  const isMisread =
    entries.length === 1 && only !== undefined && (only[0] === AS_IT_IS || (MARKS.has(only[0]) && typeof only[1] === 'string'));
  return isMisread ? { [AS_IT_IS]: own } : own;
}
