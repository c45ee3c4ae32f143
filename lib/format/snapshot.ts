import { ByteWriter } from './byte-writer.ts';
import type { KeyGroupRange } from './manifest.ts';
import { MalformedError, type Serde } from './serde.ts';
import { putSized } from './sized.ts';

/*
 * The payload of a base or a delta of a subtask's keyed state:
 *
 *   states   count; for each: name, name of its serde (each behind its length)
 *   index    count of key groups; for each, ascending: key group, entries, bytes
 *   entries  by key group: key (behind its length); for each state in the order above its value behind (length + 1),
 *            or 0 when the key has no value
 *
 * An entry is a key's whole state. One without any value says in a delta that the key's state was cleared. Numbers
 * are unsigned LEB128. The index lets a subtask read the key groups that it owns and no others.
 */
export interface SnapshotState {
  readonly name: string;
  readonly serde: Serde<unknown>;
}

/** Writes one snapshot: for each key group in ascending order `group`, then `entry` for each of its keys. */
export class SnapshotWriter {
  readonly #states: readonly SnapshotState[];
  readonly #index = new ByteWriter();
  readonly #entries = new ByteWriter();
  #groups = 0;
  #keyGroup = -1;
  #groupEntries = 0;
  #groupStart = 0;

  constructor(states: readonly SnapshotState[]) {
    this.#states = states;
  }

  group(keyGroup: number): void {
    if (keyGroup <= this.#keyGroup)
      throw new RangeError(`key group ${keyGroup} comes behind ${this.#keyGroup}: a snapshot holds them in ascending order`);
    this.#closeGroup();
    this.#keyGroup = keyGroup;
    this.#groupStart = this.#entries.position;
  }

  /** `key`: its bytes as latin1. `values`: in the order of the states, undefined where the key has none. */
  entry(key: string, values: readonly unknown[]): void {
    const out = this.#entries;
    out.varint(key.length);
    out.reserve(key.length);
    out.position += out.bytes.write(key, out.position, 'latin1');
    for (const [index, { serde, name }] of this.#states.entries()) {
      const value = values[index];
      if (value === undefined) out.u8(0);
      else this.#value(name, serde, value);
    }
    this.#groupEntries++;
  }

  /** The payload, in parts that are to be written one behind the other. */
  finish(): Buffer[] {
    this.#closeGroup();
    const head = new ByteWriter(256);
    head.varint(this.#states.length);
    for (const { name, serde } of this.#states) {
      putText(head, name);
      putText(head, serde.name);
    }
    head.varint(this.#groups);
    return [head.view(), this.#index.view(), this.#entries.view()];
  }

  #value(state: string, serde: Serde<unknown>, value: unknown): void {
    try {
      putSized(this.#entries, serde, value, 1);
    } catch (cause) {
      throw new TypeError(
        `state ${state} holds a value that its serde ${serde.name} cannot encode: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      );
    }
  }

  #closeGroup(): void {
    if (this.#groupEntries === 0) return;
    this.#index.varint(this.#keyGroup);
    this.#index.varint(this.#groupEntries);
    this.#index.varint(this.#entries.position - this.#groupStart);
    this.#groups++;
    this.#groupEntries = 0;
  }
}

export interface SnapshotVisitor {
  /**
   * One key's state. `bytes[start, end)` is the key; `values` are in the order of the reader's states, all undefined
   * when the key's state was cleared.
   */
  entry(keyGroup: number, bytes: Buffer, start: number, end: number, values: unknown[]): void;
}

/**
 * Reads the key groups of `range`. States that the snapshot has and the reader has not are passed over; states of the
 * same name must have the same serde. Throws `MalformedError` when the bytes are not a snapshot; `name` says what they are.
 */
export function readSnapshot(
  bytes: Buffer,
  name: string,
  states: readonly SnapshotState[],
  range: KeyGroupRange,
  visitor: SnapshotVisitor,
): void {
  const cursor = new Cursor(bytes, name);
  const columns = readColumns(cursor, states, name);
  const groups: { readonly keyGroup: number; readonly entries: number; readonly bytes: number }[] = [];
  for (let left = cursor.count(3); left > 0; left--) {
    const group = { keyGroup: cursor.varint(), entries: cursor.varint(), bytes: cursor.varint() };
    const previous = groups.at(-1);
    if (previous !== undefined && previous.keyGroup >= group.keyGroup)
      throw cursor.malformed(`lists key group ${group.keyGroup} behind ${previous.keyGroup}`);
    groups.push(group);
  }
  for (const group of groups) {
    if (group.bytes > bytes.length - cursor.position)
      throw cursor.malformed(`has ${bytes.length - cursor.position} bytes where key group ${group.keyGroup} should have ${group.bytes}`);
    const groupEnd = cursor.position + group.bytes;
    if (group.keyGroup >= range.first && group.keyGroup <= range.last) {
      const inGroup = new Cursor(bytes, name, cursor.position, groupEnd);
      for (let left = group.entries; left > 0; left--) readEntry(inGroup, group.keyGroup, columns, states.length, visitor);
      if (inGroup.position !== groupEnd)
        throw cursor.malformed(`has ${groupEnd - inGroup.position} bytes behind the last entry of key group ${group.keyGroup}`);
    }
    cursor.position = groupEnd;
  }
  if (cursor.position !== bytes.length) throw cursor.malformed(`has ${bytes.length - cursor.position} bytes behind its last key group`);
}

/** What the snapshot's values become: the index among the reader's states and their serde, or undefined: passed over. */
type Column = { readonly index: number; readonly serde: Serde<unknown> } | undefined;

function readColumns(cursor: Cursor, states: readonly SnapshotState[], name: string): Column[] {
  const columns: Column[] = [];
  for (let left = cursor.count(2); left > 0; left--) {
    const state = cursor.text();
    const serdeName = cursor.text();
    const index = states.findIndex((candidate) => candidate.name === state);
    const serde = states[index]?.serde;
    if (serde !== undefined && serde.name !== serdeName) {
      throw new MalformedError(
        `${name}: state ${state} was written with serde ${serdeName} and the job reads it with ${serde.name}: give the state another name, or restore the old serde`,
      );
    }
    columns.push(serde === undefined ? undefined : { index, serde });
  }
  return columns;
}

function readEntry(cursor: Cursor, keyGroup: number, columns: readonly Column[], states: number, visitor: SnapshotVisitor): void {
  const size = cursor.size();
  const start = cursor.position;
  const end = start + size;
  cursor.position = end;
  const values: unknown[] = new Array(states).fill(undefined);
  for (const column of columns) {
    const valueSize = cursor.sizePlusOne() - 1;
    if (valueSize < 0) continue;
    const valueStart = cursor.position;
    cursor.position += valueSize;
    if (column !== undefined) values[column.index] = column.serde.read(cursor.bytes, valueStart, cursor.position);
  }
  visitor.entry(keyGroup, cursor.bytes, start, end, values);
}

function putText(out: ByteWriter, text: string): void {
  out.varint(Buffer.byteLength(text));
  out.utf8(text);
}

class Cursor {
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
    let value = 0;
    for (let scale = 1; scale <= 0x1000000000000; scale *= 128) {
      if (this.position >= this.#end) throw this.malformed('ends inside a number');
      const byte = this.bytes[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.malformed('has a number of more than seven bytes');
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
