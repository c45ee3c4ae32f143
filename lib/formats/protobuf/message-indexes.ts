import { MalformedError } from '../../protocol/malformed.ts';

/*
 * Which message of its file a record is, between the schema's id and the message: how many places there are, and the place in each level, as
 * zigzag varints. The first message of the file, which most are, is one byte 0.
 */

export function indexBytes(path: readonly number[]): Buffer {
  if (path.length === 1 && path[0] === 0) return Buffer.from([0]);
  return Buffer.from([path.length, ...path].flatMap(zigzagVarint));
}

function zigzagVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

/** Deeper nobody nests. */
const MOST_LEVELS = 100;

/** Where the message begins, and which it is. Throws `MalformedError`. */
export function readIndexes(bytes: Buffer, start: number, end: number): { readonly path: readonly number[]; readonly at: number } {
  let at = start;
  const next = (): number => {
    let zigzag = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = at < end ? (bytes[at++] as number) : 0x100;
      if (byte > 0xff) break;
      zigzag += (byte & 0x7f) * scale;
      if (byte < 0x80 && zigzag % 2 === 0) return zigzag / 2;
      if (byte < 0x80) break;
    }
    throw new MalformedError("protobuf: no message indexes behind the id of the schema (Confluent's wire format)");
  };
  const levels = next();
  if (levels > MOST_LEVELS) throw new MalformedError(`protobuf: ${levels} message indexes behind the id of the schema`);
  if (levels === 0) return { path: [0], at };
  const path = Array.from({ length: levels }, next);
  return { path, at };
}
