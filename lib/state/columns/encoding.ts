import { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';
import type { Cursor } from '../snapshot/cursor.ts';

/** A state's value and its serde do not fit. */
export class StateValueError extends Error {
  override readonly name = 'StateValueError';

  constructor(what: 'encode' | 'read', state: string, serde: string, cause: unknown, part: 'value' | 'key' = 'value') {
    super(`state ${state} holds a ${part} that its serde ${serde} cannot ${what}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Writes a value of the state of that name. Throws `StateValueError`. */
export function writeValue(state: string, serde: Serde<unknown>, value: unknown, out: ByteWriter): void {
  try {
    serde.write(value, out);
  } catch (cause) {
    throw new StateValueError('encode', state, serde.name, cause);
  }
}

/** The key of an entry, as bytes: by these it is told from others. As the keys of a stream, 0 and -0 are one. Throws `StateValueError`. */
export function encodeKey(state: string, serde: Serde<unknown>, key: unknown): string {
  if (key === undefined) throw new TypeError(`state ${state} was asked for the key undefined: an entry without a key is none`);
  scratch.reset();
  try {
    serde.write(key === 0 ? 0 : key, scratch);
  } catch (cause) {
    throw new StateValueError('encode', state, serde.name, cause, 'key');
  }
  return scratch.bytes.toString('latin1', 0, scratch.position);
}

/*
 * An encoding that is kept is a string of latin1: a Buffer for each would cost several times as much.
 */
const scratch = new ByteWriter();

export function encode(state: string, serde: Serde<unknown>, value: unknown): string {
  scratch.reset();
  writeValue(state, serde, value, scratch);
  return scratch.bytes.toString('latin1', 0, scratch.position);
}

export function decode(state: string, serde: Serde<unknown>, encoded: string): unknown {
  // A buffer of its own: a serde may keep a view on it.
  const bytes = Buffer.from(encoded, 'latin1');
  try {
    return serde.read(bytes, 0, bytes.length);
  } catch (cause) {
    throw new StateValueError('read', state, serde.name, cause);
  }
}

export function writeEncoded(encoded: string, out: ByteWriter): void {
  out.reserve(encoded.length);
  out.position += out.bytes.write(encoded, out.position, 'latin1');
}

/** Behind its length, to which `plus` is added. */
export function writeSized(encoded: string, out: ByteWriter, plus: 0 | 1 = 0): void {
  out.varint(encoded.length + plus);
  writeEncoded(encoded, out);
}

/** What `writeSized` wrote, `plus` being 0. */
export function readSized(cursor: Cursor): string {
  return readEncoded(cursor, cursor.size());
}

/** So many bytes, which must be there. */
export function readEncoded(cursor: Cursor, size: number): string {
  cursor.position += size;
  return cursor.bytes.toString('latin1', cursor.position - size, cursor.position);
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: unknown): value is object {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

/** Plain objects and arrays, with all that is in them. Others keep to themselves what they hold. */
export function freeze(value: unknown): void {
  if (!isPlain(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
