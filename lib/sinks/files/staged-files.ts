import * as z from 'zod';
import { CorruptBlobError } from '../../format/blob.ts';
import { count, list, name, own, shapeFault, text } from '../../protocol/shape.ts';

/** How the rows of a section become a file. */
const codecSchema = z
  .object({
    /** What each file begins with. */
    head: text,
    compression: z.enum(['none', 'gzip']),
    extension: name,
    contentType: name,
    /** A file that has so many bytes, before compression, is followed by another one. */
    maxFileBytes: z.int().min(1),
    /** By which format its rows are made a file, and what that has to know. None: they stand one behind the other. */
    assembly: z.object({ format: name, about: own }).readonly().optional(),
  })
  .readonly();
export type Codec = z.infer<typeof codecSchema>;

const sectionSchema = z.object({ folder: text, rows: count, bytes: count }).readonly();
const headSchema = z.object({ codec: codecSchema, sections: list(sectionSchema) }).readonly();

/** Rows of one folder, as they stand in a file. */
export interface Section {
  readonly folder: string;
  readonly rows: number;
  readonly content: Buffer;
}

/** The payload of an `output` blob, in parts: a u32 with the size of a JSON text, the text, and the content of its sections. */
export function encodeStagedFiles(codec: Codec, sections: readonly Section[]): Buffer[] {
  const index = sections.map(({ folder, rows, content }) => ({ folder, rows, bytes: content.length }));
  const head = Buffer.from(JSON.stringify({ codec, sections: index }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  return [size, head, ...sections.map(({ content }) => content)];
}

export interface StagedFiles {
  readonly codec: Codec;
  readonly sections: readonly Section[];
}

/** The sections, as views on `payload`. Throws `CorruptBlobError`; `blob` is for its message. */
export function decodeStagedFiles(payload: Buffer, blob: string): StagedFiles {
  const corrupt = (what: string) => new CorruptBlobError(blob, 'output', what);
  const headEnd = payload.length < 4 ? 0 : 4 + payload.readUInt32LE(0);
  if (headEnd < 5 || headEnd > payload.length) throw corrupt('its index is cut off');
  const index = parsed(payload.toString('utf8', 4, headEnd));
  const fault = shapeFault(headSchema, index);
  if (fault !== undefined) throw corrupt(`its index is none: ${fault}`);
  const { codec, sections } = index as z.infer<typeof headSchema>;
  let at = headEnd;
  const read = sections.map(({ folder, rows, bytes }): Section => {
    const end = at + bytes;
    if (end > payload.length) throw corrupt(`its section of folder ${folder} is cut off`);
    const content = payload.subarray(at, end);
    at = end;
    return { folder, rows, content };
  });
  if (at !== payload.length) throw corrupt('it holds more than its index names');
  return { codec, sections: read };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
