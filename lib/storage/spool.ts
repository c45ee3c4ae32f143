import { appendFileSync, createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Lines in parts, on this machine's disk for as long as it takes to read them part by part. */
export interface Spool {
  append(part: number, line: string): void;
  /** All that was appended. */
  read(part: number): AsyncIterable<string>;
  close(): void;
}

/** So much of each part is in memory. */
const BUFFERED_CHARS = 64 * 1024;

export function openSpool(): Spool {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-spool-'));
  const buffered = new Map<number, string>();
  const fileOf = (part: number) => join(folder, `${part}`);
  return {
    append(part, line) {
      const lines = `${buffered.get(part) ?? ''}${line}\n`;
      const isFull = lines.length >= BUFFERED_CHARS;
      if (isFull) appendFileSync(fileOf(part), lines);
      buffered.set(part, isFull ? '' : lines);
    },
    async *read(part) {
      const lines = buffered.get(part);
      if (lines === undefined) return;
      appendFileSync(fileOf(part), lines);
      buffered.set(part, '');
      yield* createInterface({ input: createReadStream(fileOf(part)), crlfDelay: Number.POSITIVE_INFINITY });
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
