import { byName, handlesByName } from '../config/by-name.ts';
import type { Due } from '../protocol/event-time.ts';
import { MalformedError } from '../protocol/malformed.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import type { Column } from './columns/column.ts';
import { openColumn, type StateDeclaration } from './columns/columns.ts';
import type { TimerColumn } from './columns/timers.ts';
import { type Translation, translationOf } from './columns/translation.ts';
import type { WaitingColumn } from './columns/waiting.ts';
import { earliestOf } from './earliest.ts';
import { CHANGED, KeyIndex, type ProcessingClock } from './key-index.ts';
import { RecordScope } from './record-scope.ts';
import { ResidentKeys } from './resident-keys.ts';
import { decodeHead } from './snapshot/head.ts';
import { readSnapshot, type SnapshotEntry } from './snapshot/reader.ts';
import { type SnapshotPart, SnapshotWriter } from './snapshot/writer.ts';
import type { GroupEntries } from './spilled-pages.ts';
import type { StateMemory } from './state-memory.ts';
import { type StoredState, storedStates } from './stored-state.ts';

/** What an operator subtask's snapshots are taken of, and loaded into. */
export interface Snapshotted {
  readonly keyGroups: KeyGroupRange;
  /** Do all subtasks hold the same? */
  readonly isReplicated: boolean;
  /** Has anything changed since the last snapshot? */
  changed(): boolean;
  /** What changed since the last snapshot. The parts are owned by the caller. */
  takeDelta(): Buffer[];
  /** All of it, in one payload or several, one after the other. Their parts are owned by the caller. */
  takeBases(): Iterator<Buffer[]>;
  /** The earliest that waits for a time, in each domain. Undefined: nothing does. */
  due(): Due | undefined;
  /** Adds a snapshot to what is loaded: its base, if any, and its deltas, oldest first. Throws `MalformedError`. */
  load(payloads: readonly Buffer[]): void;
  /** Forgets everything. */
  drop(): void;
  /** It is of no use any more. */
  close(): void;
}

export interface StateSetOptions {
  /** The keyed operator whose state it is. */
  readonly uid: string;
  readonly states: readonly StateDeclaration[];
  /** What its snapshots say that it is of, where that is of another kind and the same form. @default `states` */
  readonly storedAs?: readonly StateDeclaration[];
  readonly maxParallelism: number;
  /** The key groups that this subtask owns. */
  readonly keyGroups: KeyGroupRange;
  /** Where a use of a handle outside of records is remembered. */
  readonly scope?: RecordScope;
  /** Needed if a state has a time to live. */
  readonly clock?: ProcessingClock;
  /** Undefined: all of it is in memory, without a bound. */
  readonly memory?: StateMemory | undefined;
}

/** The keyed state of one operator subtask: its keys, and a column for each of its states. */
export class StateSet implements Snapshotted {
  readonly keys: KeyIndex;
  /** What `onRecord` gets: by state name. */
  readonly handles: Readonly<Record<string, unknown>>;
  /** Undefined: the operator has none. */
  readonly timers: TimerColumn | undefined;
  /** Undefined: no rows of it wait. */
  readonly waiting: WaitingColumn | undefined;
  readonly #uid: string;
  /** That it holds keys of. */
  readonly keyGroups: KeyGroupRange;
  readonly isReplicated = false as const;
  /** Undefined: all keys are in memory. */
  readonly residents: ResidentKeys | undefined;
  readonly #memory: StateMemory | undefined;
  /** Before which time nothing of a key group is due: said in snapshots where a start may leave state unread. Undefined: nothing can, or it is not said. */
  readonly #dueIn: ((keyGroup: number) => Due | undefined) | undefined;
  readonly #columns: readonly Column[];
  readonly #stored: readonly StoredState[];
  /** The same as the head of a snapshot says it. */
  readonly #written: string;

  constructor({ uid, states, storedAs = states, maxParallelism, keyGroups, scope = new RecordScope(), clock, memory }: StateSetOptions) {
    this.#uid = uid;
    this.keyGroups = keyGroups;
    this.keys = new KeyIndex({ uid, maxParallelism, keyGroups, scope, clock }, () => {
      for (const column of this.#columns) column.extend();
    });
    this.#columns = states.map((state) => openColumn(this.keys, state));
    this.#stored = storedStates(storedAs);
    this.#written = JSON.stringify(this.#stored.map(({ name, kind, serdes }) => ({ name, kind, serdes })));
    this.#memory = memory;
    this.residents = memory === undefined ? undefined : new ResidentKeys(this.keys, this.#columns, memory);
    this.keys.elsewhere = this.residents;
    const given = this.#columns.filter(({ handle }) => handle !== undefined);
    this.handles = handlesByName(given.map(({ state, handle }): [string, unknown] => [state.name, handle]));
    this.timers = this.#columns.find((column): column is TimerColumn => column.state.kind === 'timers');
    this.waiting = this.#columns.find((column): column is WaitingColumn => column.state.kind === 'waiting');
    const { residents } = this;
    if (residents !== undefined && this.waitsForTime) this.#dueIn = (keyGroup) => this.#earliestIn(keyGroup, residents);
  }

  /** May something of it be due by itself, without a row of its key? */
  get waitsForTime(): boolean {
    return this.timers !== undefined || this.waiting !== undefined;
  }

  /** Keys that have state. */
  get size(): number {
    return this.keys.size + (this.residents?.spilled ?? 0);
  }

  /**
   * No record is worked on any more: takes back the values that the handles gave out. Throws `StateValueError` when one
   * cannot be encoded.
   */
  takeBack(): void {
    this.keys.current = -1;
    for (const column of this.#columns) column.takeBack();
  }

  /** What the states hold of a key, by name: copies. Undefined of one: nothing, or nothing that people would understand. */
  read(key: Buffer, hash: number): Readonly<Record<string, unknown>> {
    this.keys.current = this.keys.numberOf(key, 0, key.length, hash);
    const held = byName(this.#columns.map((column) => [column.state.name, column.read?.()] as const));
    this.forgetMet();
    return held;
  }

  /** The earliest that waits for a time, in each domain, of what has been read. Undefined: nothing does. */
  due(): Due | undefined {
    return this.#columns.map((column) => column.due?.()).reduce(earliestOf, this.residents?.due());
  }

  /** Has anything changed since the last snapshot? What was given out must have been taken back. */
  changed(): boolean {
    return this.keys.hasChanged();
  }

  /** Gives up the numbers of the keys that were met and not changed. */
  forgetMet(): void {
    this.takeBack();
    this.keys.forgetMet();
  }

  /** What changed since the last snapshot. The parts are owned by the caller. */
  takeDelta(): Buffer[] {
    this.takeBack();
    const parts = this.#write('delta', this.keys.changedByGroup());
    this.#forgetCleared();
    this.#settle();
    this.residents?.makeRoom();
    return parts;
  }

  /** All state that has not expired. The parts are owned by the caller. */
  takeBase(): Buffer[] {
    if (this.residents !== undefined) return [...this.#basesOf(this.residents, Number.POSITIVE_INFINITY)].flat();
    this.#forgetIdle();
    const parts = this.#write('base', this.keys.allByGroup());
    this.#settle();
    return parts;
  }

  /** The same as `takeBase`; where there is a bound, in payloads each of which is but a part of it. */
  *takeBases(): Generator<Buffer[]> {
    if (this.residents === undefined || this.#memory === undefined) yield this.takeBase();
    else yield* this.#basesOf(this.residents, this.#memory.partBytes);
  }

  /** Keys go to disk until the bound is kept. What was given out has been taken back. */
  makeRoom(): void {
    this.residents?.makeRoom();
  }

  /** The keys with these numbers are worked on next. */
  met(numbers: Uint32Array, count: number): void {
    this.residents?.meet(numbers, count);
  }

  /** What is due is in memory, and with it all that its keys have. */
  bringDue(watermarkMs: number, processingMs: number): void {
    this.residents?.bringDue(watermarkMs, processingMs);
  }

  /** It is of no use any more, and nothing of it is left on the disk. */
  close(): void {
    this.residents?.close();
  }

  /**
   * Adds a snapshot to what is loaded: its base, if any, and its deltas, oldest first; of them only the key groups that
   * this subtask owns. After a change of parallelism it is called for each of several snapshots. Throws `MalformedError`.
   *
   * @param keyGroups others are passed over. @default all of the subtask
   */
  load(payloads: readonly Buffer[], keyGroups: KeyGroupRange = this.keyGroups): void {
    this.residents?.read(keyGroups);
    const name = `state of ${this.#uid}`;
    for (const payload of payloads) {
      /** By column. Each payload says itself by which serdes it was written. */
      const translations: (Translation | undefined)[] = [];
      readSnapshot(payload, name, this.#stored, keyGroups, (entry) => this.#take(entry, translations, name));
      this.makeRoom();
    }
  }

  /**
   * The same as `load` of a base and its deltas, before anything else of these key groups. Where there is a bound nothing of it comes into memory, if
   * it is of the same states and none of them can be due by itself.
   */
  loadLater(bases: readonly Buffer[], deltas: readonly Buffer[], keyGroups: KeyGroupRange): void {
    const { residents } = this;
    const payloads = [...bases, ...deltas];
    const what = `state of ${this.#uid}`;
    const isSame = (payload: Buffer) => JSON.stringify(decodeHead(payload, what).head.states) === this.#written;
    if (residents === undefined || this.waitsForTime || !payloads.every(isSame)) {
      this.load(payloads, keyGroups);
      return;
    }
    residents.read(keyGroups);
    const groups = new Map<number, GroupEntries[]>();
    payloads.forEach((bytes, index) => {
      let open: { readonly keyGroup: number; readonly layer: GroupEntries } | undefined;
      readSnapshot(bytes, what, this.#stored, keyGroups, ({ keyGroup, from, to, start, end }) => {
        if (open?.keyGroup !== keyGroup) {
          open = { keyGroup, layer: { bytes, isDelta: index >= bases.length, froms: [], tos: [], starts: [], ends: [] } };
          const layers = groups.get(keyGroup);
          if (layers === undefined) groups.set(keyGroup, [open.layer]);
          else layers.push(open.layer);
        }
        const { froms, tos, starts, ends } = open.layer;
        froms.push(from);
        tos.push(to);
        starts.push(start);
        ends.push(end);
      });
    });
    for (const [keyGroup, layers] of groups) residents.takeGroup(keyGroup, layers);
  }

  /** Forgets everything. */
  drop(): void {
    this.keys.drop();
    for (const column of this.#columns) column.drop();
    this.residents?.drop();
  }

  #take(entry: SnapshotEntry, translations: (Translation | undefined)[], name: string): void {
    const { keyGroup, bytes, start, end, isEmpty, starts, ends, serdes } = entry;
    if (translations.length === 0)
      this.#columns.forEach(({ state }, index) => {
        const written = serdes[index];
        translations[index] = written && translationOf(state, written);
      });
    const id = bytes.toString('latin1', start, end);
    const known = this.keys.find(keyGroup, id) ?? this.residents?.bring(keyGroup, id);
    if (isEmpty) {
      if (known !== undefined) this.#forget(known);
      return;
    }
    const number = known ?? this.keys.add(keyGroup, id);
    let index = 0;
    try {
      for (; index < starts.length; index++) {
        const column = this.#columns[index] as Column;
        const from = starts[index] as number;
        if (from < 0) column.forget(number);
        else column.apply(number, bytes, from, ends[index] as number, translations[index]);
      }
    } catch (cause) {
      throw unreadable(this.#columns[index] as Column, name, cause);
    }
    this.residents?.weigh(number);
  }

  /** @param partBytes a payload of so much is followed by another */
  *#basesOf(residents: ResidentKeys, partBytes: number): Generator<Buffer[]> {
    if (!residents.isRead) throw new Error(`${this.#uid}: a base is asked for before all key groups were read`);
    this.#forgetIdle();
    this.#settle();
    residents.makeRoom();
    const aging = this.#columns.filter(({ state }) => state.ttl !== undefined);
    const forgetExpired = (number: number) => {
      for (const column of aging) column.forgetExpired?.(number);
    };
    const expire = aging.length === 0 ? undefined : forgetExpired;
    let writer = new SnapshotWriter('base', this.#columns, this.#dueIn);
    for (const [index, numbers] of this.keys.allByGroup().entries()) {
      const keyGroup = this.keyGroups.first + index;
      if (writer.bytes >= partBytes) {
        yield writer.finish(this.#stored);
        writer = new SnapshotWriter('base', this.#columns, this.#dueIn);
      }
      writer.group(keyGroup);
      for (const number of numbers) writer.entry(this.keys.idOf(number), number);
      residents.writeTo(keyGroup, writer, expire);
    }
    yield writer.finish(this.#stored);
  }

  #write(part: SnapshotPart, groups: readonly Iterable<number>[]): Buffer[] {
    const writer = new SnapshotWriter(part, this.#columns, this.#dueIn);
    groups.forEach((numbers, index) => {
      writer.group(this.keyGroups.first + index);
      for (const number of numbers) writer.entry(this.keys.idOf(number), number);
    });
    return writer.finish(this.#stored);
  }

  /** Nothing in a key group that has been read is due before that. */
  #earliestIn(keyGroup: number, residents: ResidentKeys): Due | undefined {
    let earliest = residents.waitingIn(keyGroup);
    for (const column of this.#columns) {
      if (column.dueOf === undefined) continue;
      for (const number of this.keys.allIn(keyGroup)) {
        const due = column.dueOf(number);
        if (due !== undefined) earliest = earliestOf(earliest, due);
      }
    }
    return earliest;
  }

  #settle(): void {
    const { residents } = this;
    // Those that are left: what was cleared has no weight any more.
    if (residents !== undefined) for (const number of this.keys.changed()) if (this.keys.marks[number] === CHANGED) residents.weigh(number);
    for (const column of this.#columns) column.settle();
    this.keys.settle();
  }

  #forgetCleared(): void {
    this.forgetMet();
    for (const number of this.keys.changed()) if (this.#isCleared(number)) this.#forget(number);
  }

  /** Before a base: what it leaves out. */
  #forgetIdle(): void {
    this.takeBack();
    this.#forgetCleared();
    this.#forgetExpired();
  }

  /** Of all keys: also of those that nobody has touched since. */
  #forgetExpired(): void {
    const aging = this.#columns.filter(({ state }) => state.ttl !== undefined);
    if (aging.length === 0) return;
    for (const numbers of this.keys.allByGroup()) {
      for (const number of numbers) {
        for (const column of aging) column.forgetExpired?.(number);
        if (this.#isCleared(number)) this.#forget(number);
      }
    }
  }

  #isCleared(number: number): boolean {
    for (const column of this.#columns) if (!column.isEmpty(number)) return false;
    return true;
  }

  #forget(number: number): void {
    for (const column of this.#columns) column.forget(number);
    this.keys.forget(number);
    this.residents?.forget(number);
  }
}

/** Whatever the column's serdes throw: they wrote these bytes, and the snapshot's checksum is right. */
function unreadable(column: Column, name: string, cause: unknown): MalformedError {
  if (cause instanceof MalformedError) return cause;
  const serdes = column.state.serdes.map((serde) => serde.name).join(', ');
  return new MalformedError(
    `${name}: the snapshot has a value that serde ${serdes} cannot read: ${cause instanceof Error ? cause.message : cause}`,
  );
}
