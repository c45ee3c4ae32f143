/**
 * A buffer that grows, with a write position: the target of every encoder. `bytes` and `position` are public so that
 * hot loops can write in place after `reserve`.
 *
 * @example
 * const flag: Serde<boolean> = {
 *   name: 'flag',
 *   write: (value, out) => out.u8(value ? 1 : 0),
 *   read: (bytes, start) => bytes[start] === 1,
 * };
 */
export class ByteWriter {
  /** The buffer. Another one after it has grown. */
  bytes: Buffer;
  /** So many bytes are written: the next goes here. */
  position = 0;

  constructor(initialBytes = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Makes room for `count` more bytes. `bytes` may be another buffer afterwards. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(count);
  }

  /** Begins anew in the same buffer. */
  reset(): void {
    this.position = 0;
  }

  /** What has been written: a view, valid until the next write or reset. */
  view(): Buffer {
    return this.bytes.subarray(0, this.position);
  }

  /** Appends a byte. */
  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  /** Appends 32 bits, the lowest byte first. */
  u32(value: number): void {
    this.reserve(4);
    this.position = this.bytes.writeUInt32LE(value, this.position);
  }

  /** NaN has one encoding. */
  f64(value: number): void {
    if (Number.isNaN(value)) {
      this.u32(0);
      this.u32(NAN_HIGH);
      return;
    }
    this.reserve(8);
    this.position = this.bytes.writeDoubleLE(value, this.position);
  }

  /** Unsigned LEB128 of a safe integer ≥ 0. */
  varint(value: number): void {
    this.reserve(8);
    const bytes = this.bytes;
    let position = this.position;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[position++] = rest;
    this.position = position;
  }

  /** Throws `TypeError` for anything else than bytes: a string has a length too, and would become zeros. */
  raw(source: Uint8Array): void {
    if (!(source instanceof Uint8Array)) throw new TypeError(`expected a Uint8Array, got ${nameOf(source)}`);
    const length = source.length;
    this.reserve(length);
    const bytes = this.bytes;
    const position = this.position;
    if (length <= SHORT_BYTES) {
      for (let index = 0; index < length; index++) bytes[position + index] = source[index]!;
    } else {
      bytes.set(source, position);
    }
    this.position = position + length;
  }

  /** UTF-8 without a length. Throws `TypeError` for half a surrogate pair, which UTF-8 cannot express. */
  utf8(text: string): void {
    if (typeof text !== 'string') throw new TypeError(`expected a string, got ${nameOf(text)}`);
    const length = text.length;
    this.reserve(length * 3);
    const bytes = this.bytes;
    const position = this.position;
    if (length > SHORT_BYTES) return this.#longUtf8(text);
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return this.#longUtf8(text);
      bytes[position + index] = unit;
    }
    this.position = position + length;
  }

  #longUtf8(text: string): void {
    const written = this.bytes.write(text, this.position);
    // As many bytes as characters: all of it is ASCII.
    if (written !== text.length && !text.isWellFormed()) {
      throw new TypeError('utf8: the string has half a surrogate pair, which UTF-8 cannot express');
    }
    this.position += written;
  }

  #grow(count: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.position + count, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.position);
    this.bytes = grown;
  }
}

/** The upper half of NaN as Java writes it; the lower is 0. */
export const NAN_HIGH = 0x7ff80000;

/** Up to here a loop in JavaScript is faster than a native call. */
const SHORT_BYTES = 20;

/** What a value is, for errors. */
export function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const maker: unknown = value.constructor;
  return typeof maker === 'function' ? maker.name : 'an object';
}
