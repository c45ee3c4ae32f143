/**
 * A value of a job's own as what JSON can say, for people and scripts: a Map becomes a list of entries, a Set a list, bytes `{ base64 }`, a
 * bigint `{ bigint }`, a number that JSON lacks `{ number }`. What is undefined is null.
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
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, of]) => of !== undefined)
      .map(([name, of]) => [name, jsonable(of)]),
  );
}
