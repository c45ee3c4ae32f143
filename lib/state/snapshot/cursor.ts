import { MalformedError } from '../../protocol/malformed.ts';

/** Reads unsigned LEB128 numbers and what they count, never beyond the end. */
export class Cursor {
  bytes: Buffer;
  readonly #name: string;
  #end: number;
  position: number;

  constructor(bytes: Buffer, name: string, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#name = name;
    this.position = start;
    this.#end = end;
  }

  /** Reads something else from here on, of the same name. */
  turnTo(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.#end = end;
  }

  varint(): number {
    const { position } = this;
    // Nearly every number: a size.
    if (position < this.#end && (this.bytes[position] as number) < 0x80) return this.bytes[this.position++] as number;
    let value = 0;
    for (let scale = 1; scale <= 0x1000000000000; scale *= 128) {
      if (this.position >= this.#end) throw this.malformed('ends inside a number');
      const byte = this.bytes[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.malformed('has a number of more than seven bytes');
  }

  u32(): number {
    if (this.position + 4 > this.#end) throw this.malformed('ends inside a number');
    this.position += 4;
    return this.bytes.readUInt32LE(this.position - 4);
  }

  f64(): number {
    if (this.position + 8 > this.#end) throw this.malformed('ends inside a number');
    this.position += 8;
    return this.bytes.readDoubleLE(this.position - 8);
  }

  /** A count of things that take `each` bytes at least. */
  count(each: number): number {
    const count = this.varint();
    if (count * each > this.#end - this.position)
      throw this.malformed(`counts ${count} parts where ${this.#end - this.position} bytes are left`);
    return count;
  }

  /** A length that must fit. */
  size(): number {
    const size = this.varint();
    if (size > this.#end - this.position) throw this.malformed(`has ${size} bytes in a field where ${this.#end - this.position} are left`);
    return size;
  }

  sizePlusOne(): number {
    const size = this.varint();
    if (size - 1 > this.#end - this.position)
      throw this.malformed(`has ${size - 1} bytes in a value where ${this.#end - this.position} are left`);
    return size;
  }

  text(): string {
    const size = this.size();
    this.position += size;
    return this.bytes.toString('utf8', this.position - size, this.position);
  }

  malformed(what: string): MalformedError {
    return new MalformedError(`${this.#name}: the snapshot ${what}`);
  }
}
