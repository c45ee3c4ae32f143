import { ByteWriter } from '../../format/byte-writer.ts';
import type { Serde } from '../../format/serde.ts';

/** Of its own: a serde that encodes parts of a value is at work in the midst of another's writing. */
const scratch = new ByteWriter();

/** What the serde writes, as latin1. */
export function encodingOf(serde: Serde<unknown>, value: unknown): string {
  scratch.reset();
  serde.write(value, scratch);
  return scratch.bytes.toString('latin1', 0, scratch.position);
}
