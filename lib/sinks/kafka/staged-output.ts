import { CorruptBlobError } from '../../format/blob.ts';
import { ByteWriter } from '../../format/byte-writer.ts';

/** What a sink writes to one partition in one epoch: record batches in wire format, not yet stamped. */
export interface StagedSection {
  readonly topic: string;
  readonly partition: number;
  readonly batches: Buffer;
}

/**
 * The payload of an `output` blob, in parts: an index (how many sections; of each the topic, the partition and how
 * many bytes), then the sections' batches in the same order. Encoded as a u32 with the index's size, varints, UTF-8.
 */
export function encodeStagedOutput(sections: readonly StagedSection[]): Buffer[] {
  const index = new ByteWriter(64);
  index.u32(0);
  index.varint(sections.length);
  for (const { topic, partition, batches } of sections) {
    index.varint(Buffer.byteLength(topic));
    index.utf8(topic);
    index.varint(partition);
    index.varint(batches.length);
  }
  const head = index.view();
  head.writeUInt32LE(head.length, 0);
  return [head, ...sections.map((section) => section.batches)];
}

/** The sections, as views on `payload`. Throws `CorruptBlobError`; `name` is for its message. */
export function decodeStagedOutput(payload: Buffer, name: string): StagedSection[] {
  const corrupt = (what: string) => new CorruptBlobError(name, 'output', what);
  let at = 4;
  const headEnd = payload.length < 4 ? 0 : payload.readUInt32LE(0);
  if (headEnd < 5 || headEnd > payload.length) throw corrupt('its index is cut off');

  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < headEnd; scale *= 128) {
      const byte = payload.readUInt8(at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw corrupt('its index ends within a section');
  };

  const sections: StagedSection[] = [];
  let batchesAt = headEnd;
  for (let left = varint(); left > 0; left--) {
    const topicBytes = varint();
    if (at + topicBytes > headEnd) throw corrupt('its index ends within a section');
    const topic = payload.toString('utf8', at, at + topicBytes);
    at += topicBytes;
    const partition = varint();
    const batchBytes = varint();
    if (batchesAt + batchBytes > payload.length) throw corrupt(`its section for ${topic}-${partition} is cut off`);
    sections.push({ topic, partition, batches: payload.subarray(batchesAt, batchesAt + batchBytes) });
    batchesAt += batchBytes;
  }
  if (at !== headEnd || batchesAt !== payload.length) throw corrupt('it holds more than its index names');
  return sections;
}
