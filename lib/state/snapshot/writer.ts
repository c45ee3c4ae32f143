import { crc32 } from 'node:zlib';
import { ByteWriter } from '../../format/byte-writer.ts';
import { closeSized } from '../../format/sized.ts';
import type { Due } from '../../protocol/event-time.ts';
import type { StoredState } from '../stored-state.ts';
import { encodeHead, type SnapshotGroup } from './head.ts';

/*
 * The payload of a base or a delta of a subtask's keyed state:
 *
 *   head     the states and the key groups: `head.ts`
 *   entries  by key group: key (behind its length); for each state in the order above what it holds of the key, behind
 *            (length + 1), or 0 when it holds nothing
 *
 * What a state holds is its kind's to write and to read (`columns/`); so a state that a job has not can be passed over,
 * whatever its kind. In a base that is all of it; in a delta it may be what changed, if the kind can tell that from all of
 * it. An entry in which no state holds anything says in a delta that the key's state was cleared. Numbers are unsigned
 * LEB128.
 */

/** `base`: all that there is. `delta`: what has changed since the last snapshot. */
export type SnapshotPart = 'base' | 'delta';

/** One state's part in a snapshot, by key number. */
export interface WrittenState {
  /** False: it holds nothing of the key, and has written nothing. */
  write(number: number, out: ByteWriter, part: SnapshotPart): boolean;
}

/** Writes one snapshot: for each key group in ascending order `group`, then `entry` for each of its keys. */
export class SnapshotWriter {
  readonly #part: SnapshotPart;
  readonly #states: readonly WrittenState[];
  readonly #dueIn: ((keyGroup: number) => Due | undefined) | undefined;
  readonly #groups: SnapshotGroup[] = [];
  readonly #entries = new ByteWriter();
  #keyGroup = -1;
  #groupEntries = 0;
  #groupStart = 0;

  /** @param dueIn before which time nothing in a key group is due, asked when its entries are written. Undefined: the snapshot does not say it */
  constructor(part: SnapshotPart, states: readonly WrittenState[], dueIn?: (keyGroup: number) => Due | undefined) {
    this.#part = part;
    this.#states = states;
    this.#dueIn = dueIn;
  }

  group(keyGroup: number): void {
    if (keyGroup <= this.#keyGroup)
      throw new RangeError(`key group ${keyGroup} comes behind ${this.#keyGroup}: a snapshot holds them in ascending order`);
    this.#closeGroup();
    this.#keyGroup = keyGroup;
    this.#groupStart = this.#entries.position;
  }

  /** `key`: its bytes as latin1. `number`: the states' number of it. */
  entry(key: string, number: number): void {
    this.#key(key);
    writeHeld(this.#states, number, this.#entries, this.#part);
    this.#groupEntries++;
  }

  /** An entry of which `writeHeld` has written what is behind the key. */
  writtenEntry(key: string, held: Uint8Array): void {
    this.#key(key);
    this.#entries.raw(held);
    this.#groupEntries++;
  }

  /** Entries as another snapshot has them. */
  writtenEntries(entries: Uint8Array, count: number): void {
    this.#entries.raw(entries);
    this.#groupEntries += count;
  }

  /** So much it has of entries. */
  get bytes(): number {
    return this.#entries.position;
  }

  /** The entries behind that many bytes of them: a view, until the next is written. */
  bytesFrom(position: number): Buffer {
    return this.#entries.view().subarray(position);
  }

  /** The payload, in parts that are to be written one behind the other. `states`: what they are, in their order. */
  finish(states: readonly StoredState[]): Buffer[] {
    this.#closeGroup();
    return [encodeHead({ states, saysDue: this.#dueIn !== undefined, groups: this.#groups }), this.#entries.view()];
  }

  #key(key: string): void {
    const out = this.#entries;
    out.varint(key.length);
    out.reserve(key.length);
    out.position += out.bytes.write(key, out.position, 'latin1');
  }

  #closeGroup(): void {
    if (this.#groupEntries === 0) return;
    const bytes = this.#entries.view().subarray(this.#groupStart);
    const keyGroup = this.#keyGroup;
    this.#groups.push({ keyGroup, entries: this.#groupEntries, bytes: bytes.length, crc: crc32(bytes), due: this.#dueIn?.(keyGroup) });
    this.#groupEntries = 0;
  }
}

/** What an entry holds behind its key: what each state has of it. */
export function writeHeld(states: readonly WrittenState[], number: number, out: ByteWriter, part: SnapshotPart): void {
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as WrittenState;
    const at = out.position;
    out.u8(0);
    if (state.write(number, out, part)) closeSized(out, at, 1);
  }
}
