import { crc32 } from 'node:zlib';
import { BLOB_FORMATS } from '../../format/blob.ts';
import { ByteWriter } from '../../format/byte-writer.ts';
import type { Due } from '../../protocol/event-time.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import type { KeyGroupRange } from '../../protocol/references.ts';
import type { StoredState } from '../stored-state.ts';
import { Cursor } from './cursor.ts';

/*
 * The head of a snapshot: what is in it and where. Its size and the checksums, its own and one for each key group, let a
 * subtask read the head and the key groups that it owns, and no more, out of a large blob, and know that they are whole.
 *
 *   size     bytes of the rest of the head (3 bytes), the format's version (1 byte), the CRC-32 of the rest (u32), which
 *            begins with the version
 *   states   count; for each: name, kind, count of its serdes and the name of each (each text behind its length)
 *   says due 1 if each group says what waits for a time, else 0
 *   groups   count; for each, ascending: key group, entries, bytes; CRC-32 of the bytes (u32); and if it says so, a time before which
 *            nothing is due in all of the key group, in its keys that are not in this snapshot too: which there are (1 event time,
 *            2 processing time, or both), and each (f64)
 *
 * Numbers are unsigned LEB128, but for those of a fixed size, which are little-endian. The version is that of the blob's
 * envelope. It is said again because parts of a snapshot are read without the blob's checksum.
 *
 * Earlier versions are still read. 2 says of no group what waits, nor that it does not say it. 1 neither; it holds 0 where the version is
 * now, and of each state its name and that of its serde; its kind is `value`.
 */
export interface SnapshotHead {
  readonly states: readonly StoredState[];
  /** Does each group say what of it waits for a time? */
  readonly saysDue: boolean;
  /** Ascending. Their entries follow the head in this order. */
  readonly groups: readonly SnapshotGroup[];
}

export interface SnapshotGroup {
  readonly keyGroup: number;
  readonly entries: number;
  readonly bytes: number;
  readonly crc: number;
  /** Nothing in all of the key group is due before, where the head says it. Undefined then: nothing waits for a time. */
  readonly due?: Due | undefined;
}

const SIZE_BYTES = 8;
/** Far more than the 32,768 key groups that there can be take. */
const MAX_REST_BYTES = 0xffffff;
/** What version 1 holds in place of its number. */
const FIRST_VERSION = 0;
/** The last that does not say what waits for a time. */
const WITHOUT_DUE = 2;
const VERSION = BLOB_FORMATS.state.version;
/** A state takes two bytes at least, a serde one, a group seven. */
const LEAST_STATE_BYTES = 2;
const LEAST_SERDE_BYTES = 1;
const LEAST_GROUP_BYTES = 7;

export function encodeHead({ states, saysDue, groups }: SnapshotHead): Buffer {
  const out = new ByteWriter(256);
  out.u32(0);
  out.u32(0);
  out.varint(states.length);
  for (const { name, kind, serdes } of states) {
    putText(out, name);
    putText(out, kind);
    out.varint(serdes.length);
    for (const serde of serdes) putText(out, serde);
  }
  out.varint(saysDue ? 1 : 0);
  out.varint(groups.length);
  for (const { keyGroup, entries, bytes, crc, due } of groups) {
    out.varint(keyGroup);
    out.varint(entries);
    out.varint(bytes);
    out.u32(crc);
    if (saysDue) putDue(out, due);
  }
  const head = out.view();
  const restBytes = head.length - SIZE_BYTES;
  if (restBytes > MAX_REST_BYTES) throw new RangeError(`the head of a snapshot has ${restBytes} bytes: the limit is ${MAX_REST_BYTES}`);
  head.writeUIntLE(restBytes, 0, 3);
  head[3] = VERSION;
  head.writeUInt32LE(crc32(head.subarray(SIZE_BYTES), VERSION), 4);
  return head;
}

/** How many bytes the head takes; `start` must hold its first eight at least. Throws `MalformedError`. */
export function headBytes(start: Buffer, name: string): number {
  if (start.length < SIZE_BYTES) throw new MalformedError(`${name}: the snapshot ends inside its head`);
  return SIZE_BYTES + start.readUIntLE(0, 3);
}

/** Throws `MalformedError` unless `bytes` begins with a whole head. */
export function decodeHead(bytes: Buffer, name: string): { readonly head: SnapshotHead; readonly end: number } {
  const end = headBytes(bytes, name);
  if (end > bytes.length) throw new MalformedError(`${name}: the snapshot ends inside its head`);
  const version = bytes.readUInt8(3);
  if (crc32(bytes.subarray(SIZE_BYTES, end), version) !== bytes.readUInt32LE(4))
    throw new MalformedError(`${name}: the checksum of the snapshot's head is wrong`);
  if (version !== FIRST_VERSION && version !== WITHOUT_DUE && version !== VERSION)
    throw new MalformedError(`${name}: the snapshot's head is of version ${version}`);
  const cursor = new Cursor(bytes, name, SIZE_BYTES, end);
  const states: StoredState[] = [];
  for (let left = cursor.count(LEAST_STATE_BYTES); left > 0; left--)
    states.push(version === FIRST_VERSION ? readFirstState(cursor) : readState(cursor));
  const saysDue = version === VERSION && cursor.varint() === 1;
  const groups: SnapshotGroup[] = [];
  for (let left = cursor.count(LEAST_GROUP_BYTES); left > 0; left--) {
    const part = { keyGroup: cursor.varint(), entries: cursor.varint(), bytes: cursor.varint(), crc: cursor.u32() };
    const due = saysDue ? readDue(cursor) : undefined;
    const group = due === undefined ? part : { ...part, due };
    const previous = groups.at(-1);
    if (previous !== undefined && previous.keyGroup >= group.keyGroup)
      throw cursor.malformed(`lists key group ${group.keyGroup} behind ${previous.keyGroup}`);
    groups.push(group);
  }
  if (cursor.position !== end) throw cursor.malformed('has more in its head than it counts');
  return { head: { states, saysDue, groups }, end };
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
  return Buffer.concat([encodeHead({ ...head, groups }), part]);
}

function putDue(out: ByteWriter, due: Due | undefined): void {
  const { eventMs, processingMs } = due ?? {};
  out.varint((eventMs === undefined ? 0 : EVENT) + (processingMs === undefined ? 0 : PROCESSING));
  if (eventMs !== undefined) out.f64(eventMs);
  if (processingMs !== undefined) out.f64(processingMs);
}

function readDue(cursor: Cursor): Due | undefined {
  const which = cursor.varint();
  if (which > EVENT + PROCESSING) throw cursor.malformed(`has ${which} where it says what of a key group waits for a time`);
  const eventMs = (which & EVENT) === 0 ? undefined : cursor.f64();
  const processingMs = (which & PROCESSING) === 0 ? undefined : cursor.f64();
  return which === 0 ? undefined : { eventMs, processingMs };
}

const EVENT = 1;
const PROCESSING = 2;

function readState(cursor: Cursor): StoredState {
  const name = cursor.text();
  const kind = cursor.text();
  const serdes: string[] = [];
  for (let left = cursor.count(LEAST_SERDE_BYTES); left > 0; left--) serdes.push(cursor.text());
  return { name, kind, serdes };
}

function readFirstState(cursor: Cursor): StoredState {
  return { name: cursor.text(), kind: 'value', serdes: [cursor.text()] };
}

function putText(out: ByteWriter, text: string): void {
  out.varint(Buffer.byteLength(text));
  out.utf8(text);
}
