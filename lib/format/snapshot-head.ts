import { crc32 } from 'node:zlib';
import { MalformedError } from '../protocol/malformed.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import { ByteWriter } from './byte-writer.ts';

/*
 * The head of a snapshot: what is in it and where. Its size and the checksums, its own and one for each key group, let a
 * subtask read the head and the key groups that it owns, and no more, out of a large blob, and know that they are whole.
 *
 *   size     bytes of the rest of the head (u32), and their CRC-32 (u32)
 *   states   count; for each: name, name of its serde (each behind its length)
 *   groups   count; for each, ascending: key group, entries, bytes; CRC-32 of the bytes (u32)
 *
 * Numbers are unsigned LEB128, but for those of 32 bits, which are little-endian.
 */
export interface SnapshotHead {
  readonly states: readonly { readonly name: string; readonly serde: string }[];
  /** Ascending. Their entries follow the head in this order. */
  readonly groups: readonly SnapshotGroup[];
}

export interface SnapshotGroup {
  readonly keyGroup: number;
  readonly entries: number;
  readonly bytes: number;
  readonly crc: number;
}

const SIZE_BYTES = 8;
/** A state takes two bytes at least, a group seven. */
const LEAST_STATE_BYTES = 2;
const LEAST_GROUP_BYTES = 7;

export function encodeHead({ states, groups }: SnapshotHead): Buffer {
  const out = new ByteWriter(256);
  out.u32(0);
  out.u32(0);
  out.varint(states.length);
  for (const { name, serde } of states) {
    putText(out, name);
    putText(out, serde);
  }
  out.varint(groups.length);
  for (const { keyGroup, entries, bytes, crc } of groups) {
    out.varint(keyGroup);
    out.varint(entries);
    out.varint(bytes);
    out.u32(crc);
  }
  const head = out.view();
  head.writeUInt32LE(head.length - SIZE_BYTES, 0);
  head.writeUInt32LE(crc32(head.subarray(SIZE_BYTES)), 4);
  return head;
}

/** How many bytes the head takes; `start` must hold its first eight at least. Throws `MalformedError`. */
export function headBytes(start: Buffer, name: string): number {
  if (start.length < SIZE_BYTES) throw new MalformedError(`${name}: the snapshot ends inside its head`);
  return SIZE_BYTES + start.readUInt32LE(0);
}

/** Throws `MalformedError` unless `bytes` begins with a whole head. */
export function decodeHead(bytes: Buffer, name: string): { readonly head: SnapshotHead; readonly end: number } {
  const end = headBytes(bytes, name);
  if (end > bytes.length) throw new MalformedError(`${name}: the snapshot ends inside its head`);
  if (crc32(bytes.subarray(SIZE_BYTES, end)) !== bytes.readUInt32LE(4))
    throw new MalformedError(`${name}: the checksum of the snapshot's head is wrong`);
  const cursor = new Cursor(bytes, name, SIZE_BYTES, end);
  const states: { name: string; serde: string }[] = [];
  for (let left = cursor.count(LEAST_STATE_BYTES); left > 0; left--) states.push({ name: cursor.text(), serde: cursor.text() });
  const groups: SnapshotGroup[] = [];
  for (let left = cursor.count(LEAST_GROUP_BYTES); left > 0; left--) {
    const group = { keyGroup: cursor.varint(), entries: cursor.varint(), bytes: cursor.varint(), crc: cursor.u32() };
    const previous = groups.at(-1);
    if (previous !== undefined && previous.keyGroup >= group.keyGroup)
      throw cursor.malformed(`lists key group ${group.keyGroup} behind ${previous.keyGroup}`);
    groups.push(group);
  }
  if (cursor.position !== end) throw cursor.malformed('has more in its head than it counts');
  return { head: { states, groups }, end };
}

/** Where the key groups of `range` are: bytes `start` … `end` - 1 behind the head. They are next to each other. */
export function partOf({ groups }: SnapshotHead, range: KeyGroupRange): { readonly start: number; readonly end: number } {
  let start = 0;
  let end = 0;
  for (const { keyGroup, bytes } of groups) {
    if (keyGroup < range.first) start += bytes;
    if (keyGroup <= range.last) end += bytes;
  }
  return { start, end: Math.max(start, end) };
}

/** A snapshot of the key groups of `range` alone, from the head of a larger one and that part of it. Throws `MalformedError`. */
export function snapshotOfPart(head: SnapshotHead, range: KeyGroupRange, part: Buffer, name: string): Buffer {
  const groups = head.groups.filter(({ keyGroup }) => keyGroup >= range.first && keyGroup <= range.last);
  let at = 0;
  for (const { keyGroup, bytes, crc } of groups) {
    if (crc32(part.subarray(at, at + bytes)) !== crc) throw new MalformedError(`${name}: the checksum of key group ${keyGroup} is wrong`);
    at += bytes;
  }
  return Buffer.concat([encodeHead({ states: head.states, groups }), part]);
}

function putText(out: ByteWriter, text: string): void {
  out.varint(Buffer.byteLength(text));
  out.utf8(text);
}

/** Reads unsigned LEB128 numbers and what they count, never beyond the end. */
export class Cursor {
  readonly bytes: Buffer;
  readonly #name: string;
  readonly #end: number;
  position: number;

  constructor(bytes: Buffer, name: string, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#name = name;
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
