import { crc32 } from 'node:zlib';
import { MalformedError } from '../protocol/malformed.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Serde } from './serde.ts';
import { putSized } from './sized.ts';
import { Cursor, decodeHead, encodeHead, type SnapshotGroup, type SnapshotHead } from './snapshot-head.ts';

/*
 * The payload of a base or a delta of a subtask's keyed state:
 *
 *   head     the states and the key groups: `snapshot-head.ts`
 *   entries  by key group: key (behind its length); for each state in the order above its value behind (length + 1),
 *            or 0 when the key has no value
 *
 * An entry is a key's whole state. One without any value says in a delta that the key's state was cleared. Numbers
 * are unsigned LEB128.
 */
export interface SnapshotState {
  readonly name: string;
  readonly serde: Serde<unknown>;
}

/** A state's value and its serde do not fit. */
export class StateValueError extends Error {
  override readonly name = 'StateValueError';

  constructor(what: 'encode' | 'read', state: string, serde: string, cause: unknown) {
    super(`state ${state} holds a value that its serde ${serde} cannot ${what}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Writes one snapshot: for each key group in ascending order `group`, then `entry` for each of its keys. */
export class SnapshotWriter {
  readonly #states: readonly SnapshotState[];
  readonly #groups: SnapshotGroup[] = [];
  readonly #entries = new ByteWriter();
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
    for (let index = 0; index < this.#states.length; index++) {
      const value = values[index];
      if (value === undefined) out.u8(0);
      else this.#value(this.#states[index] as SnapshotState, value);
    }
    this.#groupEntries++;
  }

  /** The payload, in parts that are to be written one behind the other. */
  finish(): Buffer[] {
    this.#closeGroup();
    const states = this.#states.map(({ name, serde }) => ({ name, serde: serde.name }));
    return [encodeHead({ states, groups: this.#groups }), this.#entries.view()];
  }

  #value({ name, serde }: SnapshotState, value: unknown): void {
    try {
      putSized(this.#entries, serde, value, 1);
    } catch (cause) {
      throw new StateValueError('encode', name, serde.name, cause);
    }
  }

  #closeGroup(): void {
    if (this.#groupEntries === 0) return;
    const bytes = this.#entries.view().subarray(this.#groupStart);
    this.#groups.push({ keyGroup: this.#keyGroup, entries: this.#groupEntries, bytes: bytes.length, crc: crc32(bytes) });
    this.#groupEntries = 0;
  }
}

export interface SnapshotVisitor {
  /**
   * One key's state. `bytes[start, end)` is the key; `values` are in the order of the reader's states, all undefined
   * when the key's state was cleared. The array is the reader's own: it holds the next key's values after the call.
   */
  entry(keyGroup: number, bytes: Buffer, start: number, end: number, values: readonly unknown[]): void;
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
  const { head, end } = decodeHead(bytes, name);
  const columns = columnsOf(head, states, name);
  const cursor = new Cursor(bytes, name, end);
  const values: unknown[] = new Array(states.length).fill(undefined);
  for (const group of head.groups) {
    if (group.bytes > bytes.length - cursor.position)
      throw cursor.malformed(`has ${bytes.length - cursor.position} bytes where key group ${group.keyGroup} should have ${group.bytes}`);
    const groupEnd = cursor.position + group.bytes;
    if (group.keyGroup >= range.first && group.keyGroup <= range.last) {
      const inGroup = new Cursor(bytes, name, cursor.position, groupEnd);
      for (let left = group.entries; left > 0; left--) readEntry(inGroup, group.keyGroup, columns, values, visitor);
      if (inGroup.position !== groupEnd)
        throw cursor.malformed(`has ${groupEnd - inGroup.position} bytes behind the last entry of key group ${group.keyGroup}`);
    }
    cursor.position = groupEnd;
  }
  if (cursor.position !== bytes.length) throw cursor.malformed(`has ${bytes.length - cursor.position} bytes behind its last key group`);
}

/** What the snapshot's values become: the index among the reader's states and their serde, or undefined: passed over. */
type Column = { readonly index: number; readonly serde: Serde<unknown> } | undefined;

function columnsOf(head: SnapshotHead, states: readonly SnapshotState[], name: string): Column[] {
  return head.states.map(({ name: state, serde: serdeName }) => {
    const index = states.findIndex((candidate) => candidate.name === state);
    const serde = states[index]?.serde;
    if (serde === undefined) return undefined;
    if (serde.name !== serdeName) {
      throw new MalformedError(
        `${name}: state ${state} was written with serde ${serdeName} and the job reads it with ${serde.name}: give the state another name, or restore the old serde`,
      );
    }
    return { index, serde };
  });
}

function readEntry(cursor: Cursor, keyGroup: number, columns: readonly Column[], values: unknown[], visitor: SnapshotVisitor): void {
  const size = cursor.size();
  const start = cursor.position;
  const end = start + size;
  cursor.position = end;
  values.fill(undefined);
  for (const column of columns) {
    const valueSize = cursor.sizePlusOne() - 1;
    if (valueSize < 0) continue;
    const valueStart = cursor.position;
    cursor.position += valueSize;
    if (column !== undefined) values[column.index] = readValue(column.serde, cursor, valueStart);
  }
  visitor.entry(keyGroup, cursor.bytes, start, end, values);
}

/** Throws `MalformedError`, whatever the serde throws: it wrote these bytes, and the snapshot's checksum is right. */
function readValue(serde: Serde<unknown>, cursor: Cursor, start: number): unknown {
  try {
    return serde.read(cursor.bytes, start, cursor.position);
  } catch (cause) {
    if (cause instanceof MalformedError) throw cause;
    throw cursor.malformed(`has a value that serde ${serde.name} cannot read: ${cause instanceof Error ? cause.message : cause}`);
  }
}
