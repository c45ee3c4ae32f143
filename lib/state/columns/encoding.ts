import { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';

/** A state's value and its serde do not fit. */
export class StateValueError extends Error {
  override readonly name = 'StateValueError';

  constructor(what: 'encode' | 'read', state: string, serde: string, cause: unknown) {
    super(`state ${state} holds a value that its serde ${serde} cannot ${what}: ${cause instanceof Error ? cause.message : cause}`, {
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
