import type { FileFormat } from '../spec.ts';

/** One JSON text a line. */
export const jsonLinesFormat: FileFormat<unknown> = {
  name: 'json-lines',
  extension: 'jsonl',
  contentType: 'application/x-ndjson',
  head: '',
  write(row, out) {
    // Throws for a bigint, and for what contains itself.
    const text = JSON.stringify(row) as string | undefined;
    if (text === undefined) throw new TypeError(`JSON has no text for ${typeof row}`);
    out.utf8(text);
    out.u8(0x0a);
  },
};
