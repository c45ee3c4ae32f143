import { CorruptBlobError } from '../../format/blob.ts';
import type { ByteWriter } from '../../format/byte-writer.ts';

/** Of a batch: how many rows, and how many bytes they have. */
const HEAD_BYTES = 8;

/**
 * Rows in batches, as they are staged: of each batch a u32 with how many rows it has, one with their bytes, and the rows, each behind
 * its length. Batches are cut where rows are staged, so that each try delivers the same ones, whatever build makes it.
 */
export class RowBatches {
  readonly #out: ByteWriter;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  #begin = 0;
  #rows = 0;

  constructor(out: ByteWriter, { maxRows, maxBytes }: { readonly maxRows: number; readonly maxBytes: number }) {
    this.#out = out;
    this.#maxRows = maxRows;
    this.#maxBytes = maxBytes;
  }

  reset(): void {
    this.#out.reset();
    this.#rows = 0;
  }

  append(row: Buffer): void {
    const out = this.#out;
    const bytes = out.position - this.#begin - HEAD_BYTES;
    if (this.#rows === this.#maxRows || (this.#rows > 0 && bytes + row.length > this.#maxBytes)) this.#end();
    if (this.#rows === 0) {
      this.#begin = out.position;
      out.u32(0);
      out.u32(0);
    }
    out.varint(row.length);
    out.raw(row);
    this.#rows++;
  }

  /** All of them: a view, valid until the next `reset`. */
  finish(): Buffer {
    if (this.#rows > 0) this.#end();
    return this.#out.view();
  }

  #end(): void {
    const { bytes, position } = this.#out;
    bytes.writeUInt32LE(this.#rows, this.#begin);
    bytes.writeUInt32LE(position - this.#begin - HEAD_BYTES, this.#begin + 4);
    this.#rows = 0;
  }
}

/** The rows of a batch, as spans of its bytes. */
export interface StagedBatch {
  readonly bytes: Buffer;
  readonly rows: readonly { readonly start: number; readonly end: number }[];
}

/** The batches, as views on `payload`. Throws `CorruptBlobError`; `name` is for its message. */
export function readBatches(payload: Buffer, name: string): StagedBatch[] {
  const corrupt = (what: string) => new CorruptBlobError(name, 'output', what);
  const batches: StagedBatch[] = [];
  for (let at = 0; at < payload.length; ) {
    if (at + HEAD_BYTES > payload.length) throw corrupt('it ends within the head of a batch');
    const count = payload.readUInt32LE(at);
    const length = payload.readUInt32LE(at + 4);
    const end = at + HEAD_BYTES + length;
    if (end > payload.length) throw corrupt('it ends within a batch');
    const bytes = payload.subarray(at + HEAD_BYTES, end);
    batches.push({ bytes, rows: spansIn(bytes, count, corrupt) });
    at = end;
  }
  return batches;
}

function spansIn(bytes: Buffer, count: number, corrupt: (what: string) => Error): StagedBatch['rows'] {
  const rows: { start: number; end: number }[] = [];
  let at = 0;
  for (let left = count; left > 0; left--) {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw corrupt('a batch ends within a row');
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if (at + length > bytes.length) throw corrupt('a batch ends within a row');
    rows.push({ start: at, end: at + length });
    at += length;
  }
  if (at !== bytes.length) throw corrupt('a batch holds more than its rows');
  return rows;
}
