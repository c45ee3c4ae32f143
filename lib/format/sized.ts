import type { ByteWriter } from './byte-writer.ts';
import type { Serde } from './serde.ts';

/**
 * Writes a value behind its length (unsigned LEB128), to which `plus` is added: a format that writes 0 for "no value"
 * writes lengths plus one.
 */
export function putSized(out: ByteWriter, serde: Serde<unknown>, value: unknown, plus: 0 | 1): void {
  const at = out.position;
  out.u8(0);
  serde.write(value, out);
  closeSized(out, at, plus);
}

/** Puts its length before what was written behind the byte at `at`, which was left for it. What was written is moved when the length needs more. */
export function closeSized(out: ByteWriter, at: number, plus: 0 | 1): void {
  const end = out.position;
  const size = end - at - 1 + plus;
  if (size < 0x80) {
    out.bytes[at] = size;
    return;
  }
  out.varint(size); // behind the value, only to learn how many bytes it takes
  const more = out.position - end - 1;
  out.bytes.copyWithin(at + 1 + more, at + 1, end);
  out.position = at;
  out.varint(size);
  out.position = end + more;
}
