import { createWriteStream } from 'node:fs';

/** Everything that happens in a run, in one file, with seconds since its start: faults, events, functions' own output. */
export interface History {
  note(what: string): void;
  close(): Promise<void>;
}

export function openHistory(file: string): History {
  const startedMs = Date.now();
  const stream = createWriteStream(file);
  return {
    note(what) {
      // The last words of a process may come after its end.
      if (!stream.writableEnded) stream.write(`${((Date.now() - startedMs) / 1000).toFixed(3).padStart(9)} s  ${what}\n`);
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}
