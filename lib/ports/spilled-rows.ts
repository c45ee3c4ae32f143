import type { Due } from '../protocol/event-time.ts';

/**
 * The keys of an operator subtask whose state is not in memory, on the disk of this machine. It holds what this process has put there,
 * and nothing when it is opened. A row belongs to whoever took it out: a key is here or in memory, never in both.
 */
export interface SpilledRows {
  /** Rows that are here. */
  readonly size: number;
  /** A key that is not here. @param key its bytes as latin1 @param due what of it waits for a time */
  put(keyGroup: number, key: string, held: Uint8Array, due: Due | undefined): void;
  /** Takes the row out. Undefined: it is not here. */
  take(keyGroup: number, key: string): Buffer | undefined;
  /** Rows of a key group in order of their keys' bytes, `limit` at most, which stay. @param behind the key before the first. @default from the first on */
  list(keyGroup: number, limit: number, behind?: string): readonly SpilledRow[];
  /** The earliest that waits for a time, in each domain. Undefined: nothing does. */
  due(): Due | undefined;
  /** Keys of which something waits for a time that has come, `limit` at most. */
  dueBy(eventMs: number, processingMs: number, limit: number): readonly SpilledKey[];
  /** Puts a page of a key group in the place of the one of that number. What is in it is the caller's. */
  putPage(keyGroup: number, page: number, entries: Uint8Array): void;
  /** Undefined: there is none of that number. */
  page(keyGroup: number, page: number): Buffer | undefined;
  /** Forgets the rows and pages of a key group. */
  clearGroup(keyGroup: number): void;
  /** Forgets all rows and pages. */
  clear(): void;
  /** Nothing of it is left on the disk. */
  close(): void;
}

export interface SpilledKey {
  readonly keyGroup: number;
  /** Its bytes as latin1. */
  readonly key: string;
}

export interface SpilledRow extends SpilledKey {
  readonly held: Buffer;
}
