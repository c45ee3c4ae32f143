import { MalformedError } from '../../protocol/malformed.ts';
import type { KeyGroupRange } from '../../protocol/references.ts';
import { notReadable, readsSerdes, type StoredState, stateNamed } from '../stored-state.ts';
import { Cursor } from './cursor.ts';
import { decodeHead } from './head.ts';

/** What a snapshot holds of one key. The reader's own: it is the next key's after the call. */
export interface SnapshotEntry {
  readonly keyGroup: number;
  /** The payload: `bytes[start, end)` is the key. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** `bytes[from, to)` is the whole entry, as the snapshot has it. */
  readonly from: number;
  readonly to: number;
  /** No state holds anything: the key's state was cleared. */
  readonly isEmpty: boolean;
  /** By the reader's states: `bytes[starts, ends)` is what the state holds; `starts` is -1 when it holds nothing. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** By the reader's states, the serdes that the snapshot was written with; the same for all of its entries. Undefined: it has none of that state. */
  readonly serdes: readonly (readonly string[] | undefined)[];
}

/**
 * Reads the key groups of `range`. States that the snapshot has and the reader has not are passed over; states of the
 * same name must be of the same kind and have serdes that the reader's read. Throws `MalformedError` when the bytes are not a
 * snapshot; `name` says what they are.
 */
export function readSnapshot(
  bytes: Buffer,
  name: string,
  states: readonly StoredState[],
  range: KeyGroupRange,
  visit: (entry: SnapshotEntry) => void,
): void {
  const { head, end } = decodeHead(bytes, name);
  const entry = new Entry(bytes, states.length);
  const indexes = head.states.map((stored) => indexOf(stored, states, name));
  head.states.forEach(({ serdes }, at) => {
    const index = indexes[at] as number;
    if (index >= 0) entry.serdes[index] = serdes;
  });
  const cursor = new Cursor(bytes, name, end);
  for (const group of head.groups) {
    if (group.bytes > bytes.length - cursor.position)
      throw cursor.malformed(`has ${bytes.length - cursor.position} bytes where key group ${group.keyGroup} should have ${group.bytes}`);
    const groupEnd = cursor.position + group.bytes;
    if (group.keyGroup >= range.first && group.keyGroup <= range.last) {
      entry.keyGroup = group.keyGroup;
      const inGroup = new Cursor(bytes, name, cursor.position, groupEnd);
      for (let left = group.entries; left > 0; left--) {
        entry.read(inGroup, indexes);
        visit(entry);
      }
      if (inGroup.position !== groupEnd)
        throw cursor.malformed(`has ${groupEnd - inGroup.position} bytes behind the last entry of key group ${group.keyGroup}`);
    }
    cursor.position = groupEnd;
  }
  if (cursor.position !== bytes.length) throw cursor.malformed(`has ${bytes.length - cursor.position} bytes behind its last key group`);
}

class Entry implements SnapshotEntry {
  readonly bytes: Buffer;
  readonly starts: number[];
  readonly ends: number[];
  readonly serdes: (readonly string[] | undefined)[];
  keyGroup = 0;
  from = 0;
  to = 0;
  start = 0;
  end = 0;
  isEmpty = true;

  constructor(bytes: Buffer, states: number) {
    this.bytes = bytes;
    this.starts = new Array(states).fill(-1);
    this.ends = new Array(states).fill(-1);
    this.serdes = new Array(states).fill(undefined);
  }

  /** `indexes`: for each state of the snapshot its index among the reader's; -1: passed over. */
  read(cursor: Cursor, indexes: readonly number[]): void {
    this.from = cursor.position;
    const size = cursor.size();
    this.start = cursor.position;
    this.end = this.start + size;
    this.isEmpty = true;
    cursor.position = this.end;
    for (let at = 0; at < indexes.length; at++) {
      const index = indexes[at] as number;
      const heldBytes = cursor.sizePlusOne() - 1;
      if (index >= 0) {
        this.starts[index] = heldBytes < 0 ? -1 : cursor.position;
        this.ends[index] = cursor.position + heldBytes;
      }
      if (heldBytes < 0) continue;
      if (index >= 0) this.isEmpty = false;
      cursor.position += heldBytes;
    }
    this.to = cursor.position;
  }
}

/** The index of the snapshot's state among the reader's; -1 when it has none of that name. Throws `MalformedError` when it is another. */
function indexOf(stored: StoredState, states: readonly StoredState[], name: string): number {
  const now = stateNamed(stored.name, states);
  if (now === undefined) return -1;
  if (now.kind !== stored.kind) {
    throw new MalformedError(
      `${name}: state ${stored.name} was written as a ${stored.kind} state and the job reads it as a ${now.kind} state: keep it as it was, and give the ${now.kind} state another name`,
    );
  }
  if (!readsSerdes(now, stored.serdes)) throw new MalformedError(`${name}: state ${stored.name} ${notReadable(stored.serdes, now)}`);
  return states.indexOf(now);
}
