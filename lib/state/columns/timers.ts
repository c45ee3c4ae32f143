import type { ByteWriter } from '../../format/byte-writer.ts';
import type { Due } from '../../protocol/event-time.ts';
import type { DeclaredState } from '../declared-state.ts';
import { CHANGED, currentOf, type KeyIndex } from '../key-index.ts';
import { Cursor } from '../snapshot/cursor.ts';
import type { SnapshotPart } from '../snapshot/writer.ts';
import { QUEUED_BYTES, TimerQueue } from '../timer-queue.ts';
import type { Column } from './column.ts';
import { ENTRIES_BYTES } from './weights.ts';

/**
 * A state that holds timers of each key: in each domain a set of times. In a snapshot: the form; then for event time, and after it for
 * processing time
 *
 *   0, all timers     their count; of each its time
 *   1, what changed   the count of all timers there are then; the count of those that were set or deleted; of each its time, and 1, or
 *                     0 when it is gone
 *
 * Times are milliseconds (f64), ascending. Another form is a later build's.
 */
export interface TimersDeclaration extends DeclaredState {
  readonly kind: 'timers';
  readonly serdes: readonly [];
}

/** `event`: due when the watermark has come to it. `processing`: when the processing time has. */
export type TimeDomain = 'event' | 'processing';

/** A timer that is due, and was taken out. */
export interface DueTimer {
  readonly domain: TimeDomain;
  readonly timeMs: number;
  /** Of its key. */
  readonly number: number;
  /** The key's bytes as latin1. */
  readonly id: string;
}

/** The timers of an operator subtask. Set and deleted are those of the current key. */
export interface TimerColumn extends Column {
  set(domain: TimeDomain, timeMs: number): void;
  delete(domain: TimeDomain, timeMs: number): void;
  /** Takes out the first that is due: those of event time before those of processing time. Undefined: none is. */
  takeDue(watermarkMs: number, processingMs: number): DueTimer | undefined;
}

export function openTimersColumn(keys: KeyIndex, state: TimersDeclaration): TimerColumn {
  return new TimersColumn(keys, state);
}

class TimersColumn implements TimerColumn {
  /** Of no use by itself: an operator gives out what sets timers. */
  readonly handle = undefined;
  readonly state: TimersDeclaration;
  readonly #keys: KeyIndex;
  readonly #event: TimersOfDomain;
  readonly #processing: TimersOfDomain;

  constructor(keys: KeyIndex, state: TimersDeclaration) {
    this.state = state;
    this.#keys = keys;
    this.#event = new TimersOfDomain(keys);
    this.#processing = new TimersOfDomain(keys);
  }

  set(domain: TimeDomain, timeMs: number): void {
    this.#of(domain).set(currentOf(this.#keys, this.state), timeMs);
  }

  delete(domain: TimeDomain, timeMs: number): void {
    this.#of(domain).delete(currentOf(this.#keys, this.state), timeMs);
  }

  /** Of each domain the times, ascending. */
  read(): Readonly<Record<TimeDomain, readonly number[]>> {
    const number = currentOf(this.#keys, this.state);
    return { event: this.#event.timesOf(number), processing: this.#processing.timesOf(number) };
  }

  takeDue(watermarkMs: number, processingMs: number): DueTimer | undefined {
    return this.#takeDue('event', watermarkMs) ?? this.#takeDue('processing', processingMs);
  }

  due(): Due | undefined {
    const eventMs = this.#event.queue.first()?.timeMs;
    const processingMs = this.#processing.queue.first()?.timeMs;
    return eventMs === undefined && processingMs === undefined ? undefined : { eventMs, processingMs };
  }

  dueOf(number: number): Due | undefined {
    const eventMs = this.#event.firstOf(number);
    const processingMs = this.#processing.firstOf(number);
    return eventMs === undefined && processingMs === undefined ? undefined : { eventMs, processingMs };
  }

  weigh(number: number): number {
    return this.#event.weigh(number) + this.#processing.weigh(number);
  }

  extend(): void {
    this.#event.extend();
    this.#processing.extend();
  }

  isEmpty(number: number): boolean {
    return this.#event.isEmpty(number) && this.#processing.isEmpty(number);
  }

  write(number: number, out: ByteWriter, part: SnapshotPart): boolean {
    if (this.isEmpty(number)) return false;
    out.varint(part === 'base' ? ALL : CHANGED_TIMERS);
    for (const timers of [this.#event, this.#processing]) timers.write(number, out, part);
    return true;
  }

  apply(number: number, bytes: Buffer, start: number, end: number): void {
    const cursor = new Cursor(bytes, `state ${this.state.name}`, start, end);
    const form = cursor.varint();
    if (form !== ALL && form !== CHANGED_TIMERS) throw cursor.malformed(`has timers in form ${form}, which this build does not know`);
    for (const timers of [this.#event, this.#processing]) timers.apply(number, cursor, form);
  }

  forget(number: number): void {
    this.#event.forget(number);
    this.#processing.forget(number);
  }

  takeBack(): void {}

  settle(): void {
    this.#event.settle();
    this.#processing.settle();
  }

  drop(): void {
    this.#event.drop();
    this.#processing.drop();
  }

  #of(domain: TimeDomain): TimersOfDomain {
    switch (domain) {
      case 'event':
        return this.#event;
      case 'processing':
        return this.#processing;
    }
  }

  #takeDue(domain: TimeDomain, nowMs: number): DueTimer | undefined {
    const timers = this.#of(domain);
    const first = timers.queue.first();
    if (first === undefined || first.timeMs > nowMs) return undefined;
    const { timeMs, keyGroup, id } = first;
    const number = this.#keys.find(keyGroup, id);
    if (number === undefined) throw new Error(`${this.#keys.uid}: a timer of a key that has no state`);
    timers.delete(number, timeMs);
    return { domain, timeMs, number, id };
  }
}

/** The timers of one domain, by key and all in order. */
class TimersOfDomain {
  readonly queue = new TimerQueue();
  readonly #keys: KeyIndex;
  /** By key number, ascending. Undefined: none. */
  #times: (number[] | undefined)[] = [];
  /** By key number: times that were set or deleted since the last snapshot. */
  readonly #changes = new Map<number, Set<number>>();

  constructor(keys: KeyIndex) {
    this.#keys = keys;
  }

  set(number: number, timeMs: number): void {
    const times = this.#times[number] ?? [];
    const at = placeIn(times, timeMs);
    if (times[at] === timeMs) return;
    this.#change(number, timeMs);
    times.splice(at, 0, timeMs);
    this.#times[number] = times;
    this.queue.add(this.#timer(number, timeMs));
  }

  delete(number: number, timeMs: number): void {
    const times = this.#times[number];
    const at = times === undefined ? -1 : placeIn(times, timeMs);
    if (times === undefined || times[at] !== timeMs) return;
    this.#change(number, timeMs);
    if (times.length === 1) this.#times[number] = undefined;
    else times.splice(at, 1);
    this.queue.delete(this.#timer(number, timeMs));
  }

  /** Undefined: it has none. */
  firstOf(number: number): number | undefined {
    return this.#times[number]?.[0];
  }

  weigh(number: number): number {
    const times = this.#times[number];
    return times === undefined ? 0 : ENTRIES_BYTES + times.length * (QUEUED_BYTES + this.#keys.idOf(number).length);
  }

  timesOf(number: number): readonly number[] {
    return [...(this.#times[number] ?? [])];
  }

  extend(): void {
    this.#times.push(undefined);
  }

  isEmpty(number: number): boolean {
    return this.#times[number] === undefined;
  }

  write(number: number, out: ByteWriter, part: SnapshotPart): void {
    const times = this.#times[number] ?? [];
    out.varint(times.length);
    if (part === 'base') {
      for (const timeMs of times) out.f64(timeMs);
      return;
    }
    const changed = [...(this.#changes.get(number) ?? [])].sort((one, other) => one - other);
    out.varint(changed.length);
    for (const timeMs of changed) {
      out.f64(timeMs);
      out.varint(times[placeIn(times, timeMs)] === timeMs ? 1 : 0);
    }
  }

  apply(number: number, cursor: Cursor, form: number): void {
    const size = form === ALL ? cursor.count(TIME_BYTES) : cursor.varint();
    const times = form === ALL ? [] : [...(this.#times[number] ?? [])];
    for (let left = form === ALL ? size : cursor.count(TIME_BYTES + 1); left > 0; left--) {
      const timeMs = cursor.f64();
      const at = placeIn(times, timeMs);
      const isThere = times[at] === timeMs;
      const isSet = form === ALL || cursor.varint() === 1;
      if (isSet && !isThere) times.splice(at, 0, timeMs);
      if (!isSet && isThere) times.splice(at, 1);
    }
    if (times.length !== size) throw cursor.malformed(`says that a key has ${size} timers, and it has ${times.length}`);
    this.forget(number);
    for (const timeMs of times) this.queue.add(this.#timer(number, timeMs));
    this.#times[number] = size === 0 ? undefined : times;
  }

  forget(number: number): void {
    for (const timeMs of this.#times[number] ?? []) this.queue.delete(this.#timer(number, timeMs));
    this.#times[number] = undefined;
    this.#changes.delete(number);
  }

  settle(): void {
    this.#changes.clear();
  }

  drop(): void {
    this.#times = [];
    this.#changes.clear();
    this.queue.clear();
  }

  #timer(number: number, timeMs: number) {
    return { timeMs, keyGroup: this.#keys.keyGroupOf(number), id: this.#keys.idOf(number) };
  }

  /** Called before a timer is set or deleted. */
  #change(number: number, timeMs: number): void {
    if (this.#keys.marks[number] !== CHANGED) this.#keys.change(number);
    const changed = this.#changes.get(number);
    if (changed === undefined) this.#changes.set(number, new Set([timeMs]));
    else changed.add(timeMs);
  }
}

const ALL = 0;
const CHANGED_TIMERS = 1;
const TIME_BYTES = 8;

/** The index of a time among ascending ones, or where it would have to be. */
function placeIn(times: readonly number[], timeMs: number): number {
  // Nearly always: the last, or behind it.
  const last = times[times.length - 1];
  if (last === undefined || last < timeMs) return times.length;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
