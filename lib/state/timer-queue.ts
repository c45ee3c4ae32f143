import { SortedEntries } from './columns/sorted-entries.ts';

/** A timer's place among all others of an operator subtask, in one domain. */
export interface QueuedTimer {
  readonly timeMs: number;
  readonly keyGroup: number;
  /** The key's bytes as latin1. */
  readonly id: string;
}

/** What a time takes in order of its bytes. */
export const TIME_BYTES = 7;
/** The time, then the key group (2). */
const PREFIX_BYTES = TIME_BYTES + 2;
/** What a timer takes of memory here, besides its key's bytes: docs/state.md. */
export const QUEUED_BYTES = 48;
const TWO_POW_32 = 2 ** 32;
/** Of the upper part of a time, so that it is not negative. */
const BIAS = 2 ** 21;

/**
 * Timers in the order in which they fire: by time, then by key group, then by the key's bytes. It is the same at any parallelism and
 * after a restore.
 */
export class TimerQueue {
  readonly #entries = new SortedEntries();

  add(timer: QueuedTimer): void {
    this.#entries.set(nameOf(timer), '');
  }

  delete(timer: QueuedTimer): void {
    this.#entries.delete(nameOf(timer));
  }

  /** The first to fire. Undefined: there is none. */
  first(): QueuedTimer | undefined {
    const name = this.#entries.firstKey();
    return name === undefined ? undefined : timerOf(name);
  }

  clear(): void {
    this.#entries.clear();
  }
}

let scratch = Buffer.alloc(256);

/** Of latin1: what is before another in the order of its bytes is so as a text. */
function nameOf({ timeMs, keyGroup, id }: QueuedTimer): string {
  const length = PREFIX_BYTES + id.length;
  if (length > scratch.length) scratch = Buffer.alloc(length * 2);
  putTime(timeMs);
  scratch.writeUInt16BE(keyGroup, 7);
  scratch.write(id, PREFIX_BYTES, 'latin1');
  return scratch.toString('latin1', 0, length);
}

function timerOf(name: string): QueuedTimer {
  scratch.write(name, 0, PREFIX_BYTES, 'latin1');
  return { timeMs: takeTime(), keyGroup: scratch.readUInt16BE(7), id: name.slice(PREFIX_BYTES) };
}

/** A time as latin1 text: of two the earlier is the lesser. */
export function inOrder(timeMs: number): string {
  putTime(timeMs);
  return scratch.toString('latin1', 0, TIME_BYTES);
}

/** The time that a text begins with. */
export function timeIn(text: string): number {
  scratch.write(text, 0, TIME_BYTES, 'latin1');
  return takeTime();
}

function putTime(timeMs: number): void {
  const upper = Math.floor(timeMs / TWO_POW_32);
  scratch.writeUIntBE(upper + BIAS, 0, 3);
  scratch.writeUInt32BE(timeMs - upper * TWO_POW_32, 3);
}

function takeTime(): number {
  return (scratch.readUIntBE(0, 3) - BIAS) * TWO_POW_32 + scratch.readUInt32BE(3);
}
