/**
 * A value for one of several that read it: what it changes in place no other sees. Plain objects, arrays, Maps, Sets, dates
 * and bytes are copied, with all that is in them. An object of another class is shared: only the class knows how to copy it.
 */
export function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? copyObject(value, new Map()) : value;
}

/** `made`: the copies of what was met, so that what is there twice, or within itself, is so in the copy. */
function copyObject(value: object, made: Map<object, object>): object {
  const known = made.get(value);
  if (known !== undefined) return known;
  const part = (item: unknown): unknown => (typeof item === 'object' && item !== null ? copyObject(item, made) : item);
  const keep = <T extends object>(copy: T): T => {
    made.set(value, copy);
    return copy;
  };
  switch (Object.getPrototypeOf(value)) {
    case Object.prototype:
      return copyParts(keep({ ...value }), part);
    case null:
      return copyParts(keep(Object.assign(Object.create(null), value)), part);
    case Array.prototype:
      return copyParts(keep([...(value as unknown[])]), part);
    case Map.prototype: {
      const copy = keep(new Map());
      for (const [key, item] of value as Map<unknown, unknown>) copy.set(part(key), part(item));
      return copy;
    }
    case Set.prototype: {
      const copy = keep(new Set());
      for (const item of value as Set<unknown>) copy.add(part(item));
      return copy;
    }
    case Date.prototype:
      return keep(new Date(value as Date));
    case Buffer.prototype:
      return keep(Buffer.from(value as Buffer));
    default:
      return keep(ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? structuredClone(value) : value);
  }
}

/** Puts copies in place of the objects among an object's properties. */
function copyParts<T extends object>(copy: T, part: (item: unknown) => unknown): T {
  const parts = copy as Record<string, unknown>;
  for (const name of Object.keys(parts)) {
    const item = parts[name];
    if (typeof item === 'object' && item !== null) parts[name] = part(item);
  }
  return copy;
}
