import { MalformedError } from '../../protocol/malformed.ts';
import type { SchemaHeader } from './registry.ts';

const MAGIC = 0;
const BYTES = 5;

/** A byte 0, and the id in 4 bytes, most significant first. */
export const confluentHeader: SchemaHeader = {
  bytes: BYTES,
  write(id, out) {
    out.u8(MAGIC);
    out.reserve(4);
    out.position = out.bytes.writeUInt32BE(id as number, out.position);
  },
  read(bytes, start, end) {
    if (end - start < BYTES)
      throw new MalformedError(
        `${end - start} bytes are no record with a schema's id before it, which takes ${BYTES} (Confluent's wire format)`,
      );
    if (bytes[start] !== MAGIC)
      throw new MalformedError(
        `the first byte is 0x${bytes.toString('hex', start, start + 1)}, and 0 where a schema's id follows (Confluent's wire format): it was written without a registry, or with another`,
      );
    return bytes.readUInt32BE(start + 1);
  },
};
