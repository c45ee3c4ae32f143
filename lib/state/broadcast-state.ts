import { murmur2 } from '../format/murmur2.ts';
import type { Due } from '../protocol/event-time.ts';
import type { StateDeclaration } from './columns/columns.ts';
import type { RecordScope } from './record-scope.ts';
import { type Snapshotted, StateSet } from './state-set.ts';

const NO_BYTES = Buffer.alloc(0);

export interface BroadcastStateOptions {
  /** The keyed operator whose state it is. */
  readonly uid: string;
  readonly states: readonly StateDeclaration[];
  readonly maxParallelism: number;
  readonly scope: RecordScope;
}

/**
 * What all subtasks of an operator hold alike, of what was broadcast to them: the state of one key without bytes, whose snapshot is of all
 * key groups. In an epoch it is written first, from the same rows in the same order in each subtask, and then read: who changes it then,
 * also by changing in place what it gave out, gets an error, since no other subtask would do the same.
 */
export class BroadcastState implements Snapshotted {
  readonly isReplicated = true as const;
  readonly #set: StateSet;
  readonly #hash = murmur2(NO_BYTES, 0, 0);
  #number = -1;
  /** Of this epoch's changes; undefined: there are none, or they are in a snapshot. */
  #delta: Buffer[] | undefined;

  constructor({ uid, states, maxParallelism, scope }: BroadcastStateOptions) {
    this.#set = new StateSet({ uid, states, maxParallelism, keyGroups: { first: 0, last: maxParallelism - 1 }, scope });
  }

  get keyGroups() {
    return this.#set.keyGroups;
  }

  /** By state name. */
  get handles(): Readonly<Record<string, unknown>> {
    return this.#set.handles;
  }

  /** An epoch begins: the handles may write, once they are turned on. */
  begin(): void {
    this.#set.keys.isSealed = false;
    this.#set.forgetMet();
    this.#number = this.#set.keys.numberOf(NO_BYTES, 0, 0, this.#hash);
  }

  /** The handles work until they are turned off. */
  turnOn(): void {
    this.#set.keys.current = this.#number;
  }

  turnOff(): void {
    this.#set.keys.current = -1;
  }

  /** What was broadcast in this epoch is done with: from here on the handles only read. Throws `StateValueError`. */
  seal(): void {
    this.#set.takeBack();
    if (this.#set.changed()) this.#delta = this.#set.takeDelta();
    // What was met without state has lost its number with that.
    this.#set.forgetMet();
    this.#number = this.#set.keys.numberOf(NO_BYTES, 0, 0, this.#hash);
    this.#set.keys.isSealed = true;
  }

  /** Takes back what the handles gave out. Throws `TypeError` when something of it was changed in place after `seal`. */
  takeBack(): void {
    this.#set.takeBack();
  }

  changed(): boolean {
    return this.#delta !== undefined || this.#set.changed();
  }

  takeDelta(): Buffer[] {
    const delta = this.#delta ?? this.#set.takeDelta();
    this.#delta = undefined;
    return delta;
  }

  takeBase(): Buffer[] {
    this.#delta = undefined;
    return this.#set.takeBase();
  }

  *takeBases(): Generator<Buffer[]> {
    yield this.takeBase();
  }

  /** Nothing of it waits for a time. */
  due(): Due | undefined {
    return undefined;
  }

  load(payloads: readonly Buffer[]): void {
    this.#set.load(payloads);
  }

  drop(): void {
    this.#delta = undefined;
    this.#set.drop();
  }

  close(): void {
    this.#set.close();
  }

  /** What it holds, by name: copies. */
  read(): Readonly<Record<string, unknown>> {
    return this.#set.read(NO_BYTES, this.#hash);
  }
}
