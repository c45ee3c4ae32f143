import { ByteWriter } from '../format/byte-writer.ts';
import { enlarged } from '../format/known-keys.ts';
import type { SpilledRow, SpilledRows } from '../ports/spilled-rows.ts';
import type { Due } from '../protocol/event-time.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import type { Column } from './columns/column.ts';
import { earliestOf } from './earliest.ts';
import { KEPT, type KeyIndex } from './key-index.ts';
import { Cursor } from './snapshot/cursor.ts';
import { type SnapshotWriter, writeHeld } from './snapshot/writer.ts';
import { type GroupEntries, SpilledPages } from './spilled-pages.ts';
import type { StateMemory } from './state-memory.ts';

/** Rows that are looked at together. */
const PAGE_ROWS = 1000;
const MOST_PASSES = 3;
const JUST_BROUGHT = 255;
const NEVER = Number.POSITIVE_INFINITY;
/** What a key takes by itself: its text, its places in the index and in each column. Measured: docs/state.md. */
const KEY_BYTES = 104;

/**
 * Which keys of an operator's state are in memory, when there is a bound. A key is in memory, with a number, or a row on disk; or its key
 * group was not read yet, which is what the snapshot is for. Keys that rows come for are brought before the rows run; those that
 * are met most seldom go when the bound is exceeded. A key that has changed stays until the epoch's delta holds the change.
 */
export class ResidentKeys {
  readonly #keys: KeyIndex;
  readonly #columns: readonly Column[];
  readonly #memory: StateMemory;
  readonly #rows: SpilledRows;
  readonly #pages: SpilledPages;
  /** Key groups that were not read yet, and a time before which nothing of each is due. */
  readonly #unread = new Map<number, Due | undefined>();
  /** By key group: nothing that waits on disk is due before. Exact when it was put there; it stays when that comes back. */
  readonly #waiting = new Map<number, Due>();
  readonly #out = new ByteWriter();
  readonly #cursor: Cursor;
  /** Can something of a key be due? Then that is known of each key on disk, and none is in a page. */
  readonly #waitsForTime: boolean;
  /** By key number: what it takes; 0 of one that is not counted. */
  #weights = new Uint32Array(1024);
  /** By key number: so often may the hand pass it. `MOST_PASSES` when it is met and was here already, 0 when it has just come. */
  #passes = new Uint8Array(1024);
  /** Goes round over the numbers. */
  #hand = 0;

  constructor(keys: KeyIndex, columns: readonly Column[], memory: StateMemory) {
    this.#keys = keys;
    this.#columns = columns;
    this.#memory = memory;
    this.#waitsForTime = columns.some(({ dueOf }) => dueOf !== undefined);
    this.#rows = memory.openRows();
    this.#pages = new SpilledPages(keys.uid, this.#rows, columns.length);
    this.#cursor = new Cursor(Buffer.alloc(0), `a row of the state of ${keys.uid}`);
  }

  /** Keys on disk: one that deltas have changed, and of which nothing was made yet, counts for each of them. */
  get spilled(): number {
    return this.#rows.size + this.#pages.size;
  }

  /** Of what does not stay so much may be in memory at a time. */
  get partBytes(): number {
    return this.#memory.partBytes;
  }

  /** Key groups of the subtask that were not read yet. */
  get unread(): Iterable<number> {
    return this.#unread.keys();
  }

  get isRead(): boolean {
    return this.#unread.size === 0;
  }

  /** What the key group holds is in a snapshot. @param due nothing of it is before that */
  leave(keyGroup: number, due: Due | undefined): void {
    this.#unread.set(keyGroup, due);
  }

  /** Key groups that were not read yet, and in which something may wait for a time that has come. */
  unreadDue(eventMs: number, processingMs: number): ReadonlySet<number> {
    const come = new Set<number>();
    for (const [keyGroup, due] of this.#unread)
      if ((due?.eventMs ?? NEVER) <= eventMs || (due?.processingMs ?? NEVER) <= processingMs) come.add(keyGroup);
    return come;
  }

  /** What snapshots have of these key groups is loaded now. */
  read({ first, last }: KeyGroupRange): void {
    for (let keyGroup = first; keyGroup <= last; keyGroup++) this.#unread.delete(keyGroup);
  }

  /** The number of a key that is not in memory, which it is then. Undefined: it has no state. */
  bring(keyGroup: number, id: string): number | undefined {
    if (this.#unread.has(keyGroup)) throw new Error(`${this.#keys.uid}: key group ${keyGroup} is asked for before it was read`);
    const row = this.#rows.size === 0 ? undefined : this.#rows.take(keyGroup, id);
    const held = row === undefined ? this.#pages.remove(keyGroup, id) : [row];
    return held.length === 0 ? undefined : this.#admit(keyGroup, id, held);
  }

  /** Brings the keys of which something waits for a time that has come. */
  bringDue(eventMs: number, processingMs: number): void {
    if (this.unreadDue(eventMs, processingMs).size > 0)
      throw new Error(`${this.#keys.uid}: what is due is asked for before its key groups were read`);
    for (;;) {
      const due = this.#rows.dueBy(eventMs, processingMs, PAGE_ROWS);
      if (due.length === 0) break;
      for (const { keyGroup, key } of due) this.bring(keyGroup, key);
    }
    // Of what is left nothing has come. Times are whole.
    for (const [keyGroup, due] of this.#waiting)
      this.#waiting.set(keyGroup, { eventMs: behind(due.eventMs, eventMs), processingMs: behind(due.processingMs, processingMs) });
  }

  /** The earliest that waits for a time, of keys on disk. */
  due(): Due | undefined {
    return this.#rows.due();
  }

  /** Nothing of the key group's keys on disk is due before that. */
  waitingIn(keyGroup: number): Due | undefined {
    return this.#waiting.get(keyGroup);
  }

  /**
   * The key group that was not read yet and may have something before all that is known to wait, in either domain: whether it has is known when it
   * is read. Undefined: none.
   */
  unreadBefore(known: Due | undefined): number | undefined {
    const ofEvent = this.#unreadBefore(({ eventMs }) => eventMs, known?.eventMs);
    return ofEvent ?? this.#unreadBefore(({ processingMs }) => processingMs, known?.processingMs);
  }

  /** These are worked on: they are the last to go. */
  meet(numbers: Uint32Array, count: number): void {
    this.#extend();
    for (let index = 0; index < count; index++) {
      const number = numbers[index] as number;
      const isNew = this.#weights[number] === 0 || this.#passes[number] === JUST_BROUGHT;
      this.#passes[number] = isNew ? 0 : MOST_PASSES;
    }
  }

  /** What the key takes is estimated anew. */
  weigh(number: number): void {
    this.#extend();
    let bytes = KEY_BYTES + this.#keys.idOf(number).length;
    for (const column of this.#columns) bytes += column.weigh(number);
    this.#memory.usedBytes += bytes - (this.#weights[number] as number);
    this.#weights[number] = bytes;
  }

  /** The key is in memory no more. */
  forget(number: number): void {
    this.#memory.usedBytes -= this.#weights[number] ?? 0;
    this.#weights[number] = 0;
    this.#passes[number] = 0;
  }

  /** Puts keys out to disk until the bound is kept, or all that are left have changed. What was given out has been taken back. */
  makeRoom(): void {
    const { count } = this.#keys;
    for (let left = count * (MOST_PASSES + 1); left > 0 && this.#memory.isOver; left--) {
      if (this.#hand >= count) this.#hand = 0;
      const number = this.#hand++;
      if (this.#keys.marks[number] !== KEPT) continue;
      const passes = this.#passes[number] as number;
      if (passes > 0 && passes !== JUST_BROUGHT) this.#passes[number] = passes - 1;
      else this.#putOut(number);
    }
  }

  /** Takes in a key group of which nothing is here, without bringing any key: a base's entries, and behind them those of its deltas. */
  takeGroup(keyGroup: number, layers: readonly GroupEntries[]): void {
    this.#pages.take(keyGroup, layers);
  }

  /**
   * Writes the keys of a group that are on disk, as a base has them. @param expire takes away what has expired of a key that was brought for it.
   * Undefined: nothing can have
   */
  writeTo(keyGroup: number, writer: SnapshotWriter, expire?: (number: number) => void): void {
    const from = writer.bytes;
    // First those in pages: what is put out again becomes a row, and would be met twice.
    const ofPages = expire === undefined ? this.#pages.changedKeys(keyGroup) : this.#pages.keys(keyGroup);
    const rows = this.#eachRow(keyGroup, ({ key, held }) => {
      if (expire === undefined) writer.writtenEntry(key, held);
      else this.#rewrite(keyGroup, key, writer, expire);
    });
    for (const key of ofPages) this.#rewrite(keyGroup, key, writer, expire);
    this.#pages.eachBase(keyGroup, (entries, count) => writer.writtenEntries(entries, count));
    const isPagesOnly = rows === 0 && ofPages.size === 0;
    if (!this.#waitsForTime && !isPagesOnly) this.#pages.replace(keyGroup, writer.bytesFrom(from));
  }

  /** Nothing is known any more, of no key group. */
  drop(): void {
    for (let number = 0; number < this.#weights.length; number++) this.#memory.usedBytes -= this.#weights[number] as number;
    this.#weights.fill(0);
    this.#passes.fill(0);
    this.#unread.clear();
    this.#waiting.clear();
    this.#rows.clear();
    this.#pages.clear();
  }

  close(): void {
    this.#rows.close();
  }

  /** @param held the oldest first. Undefined: they have cleared it */
  #admit(keyGroup: number, id: string, held: readonly Buffer[]): number | undefined {
    const number = this.#keys.add(keyGroup, id);
    for (const bytes of held) this.#apply(number, bytes);
    if (this.#isCleared(number)) {
      this.#drop(number);
      return undefined;
    }
    this.weigh(number);
    this.#passes[number] = JUST_BROUGHT;
    return number;
  }

  #apply(number: number, held: Buffer): void {
    const cursor = this.#cursor;
    cursor.turnTo(held, 0, held.length);
    for (const column of this.#columns) {
      const bytes = cursor.sizePlusOne() - 1;
      const start = cursor.position;
      if (bytes < 0) column.forget(number);
      else column.apply(number, held, start, start + bytes);
      cursor.position = start + Math.max(bytes, 0);
    }
  }

  /** Writes a key that is on disk, which goes there again. Where it is written anew as a whole, that is what will be of it. */
  #rewrite(keyGroup: number, key: string, writer: SnapshotWriter, expire: ((number: number) => void) | undefined): void {
    const number = this.bring(keyGroup, key);
    if (number === undefined) return;
    expire?.(number);
    if (this.#isCleared(number)) {
      this.#drop(number);
      return;
    }
    writer.entry(key, number);
    if (this.#waitsForTime) this.#putOut(number);
    else this.#drop(number);
  }

  #isCleared(number: number): boolean {
    for (const column of this.#columns) if (!column.isEmpty(number)) return false;
    return true;
  }

  #drop(number: number): void {
    for (const column of this.#columns) column.forget(number);
    this.#keys.forget(number);
    this.forget(number);
  }

  /** Answers how many there are. */
  #eachRow(keyGroup: number, visit: (row: SpilledRow) => void): number {
    let behind: string | undefined;
    for (let count = 0; ; ) {
      const rows = this.#rows.list(keyGroup, PAGE_ROWS, behind);
      for (const row of rows) visit(row);
      behind = rows.at(-1)?.key;
      count += rows.length;
      if (rows.length < PAGE_ROWS) return count;
    }
  }

  #putOut(number: number): void {
    const out = this.#out;
    out.reset();
    writeHeld(this.#columns, number, out, 'base');
    const due = this.#columns.map((column) => column.dueOf?.(number)).reduce(earliestOf, undefined);
    const keyGroup = this.#keys.keyGroupOf(number);
    this.#rows.put(keyGroup, this.#keys.idOf(number), out.view(), due);
    const waiting = earliestOf(this.#waiting.get(keyGroup), due);
    if (waiting !== undefined) this.#waiting.set(keyGroup, waiting);
    this.#drop(number);
  }

  #unreadBefore(of: (due: Due) => number | undefined, known: number = NEVER): number | undefined {
    let first: number | undefined;
    let firstMs = known;
    for (const [keyGroup, due] of this.#unread) {
      const atMs = (due && of(due)) ?? NEVER;
      if (atMs >= firstMs) continue;
      [first, firstMs] = [keyGroup, atMs];
    }
    return first;
  }

  #extend(): void {
    const { length } = this.#keys.marks;
    if (length <= this.#weights.length) return;
    this.#weights = enlarged(this.#weights, new Uint32Array(length));
    this.#passes = enlarged(this.#passes, new Uint8Array(length));
  }
}

/** The same, or the next time after that which has come. */
function behind(timeMs: number | undefined, comeMs: number): number | undefined {
  return timeMs === undefined || timeMs > comeMs ? timeMs : Math.floor(comeMs) + 1;
}
