/*
 * The engine's stored formats as the checker reads them: written from their description, not from the engine's code.
 */

const ENVELOPE_BYTES = 16;
const KIND = { output: 2, state: 3, manifest: 4 } as const;

export function openEnvelope(kind: keyof typeof KIND, blob: Buffer): Buffer {
  if (blob.toString('latin1', 0, 4) !== '1FLW' || blob[5] !== KIND[kind]) throw new Error(`no ${kind} blob`);
  return blob.subarray(ENVELOPE_BYTES);
}

class Reader {
  at = 0;
  readonly bytes: Buffer;
  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('cut off');
      value += (byte & 0x7f) * scale;
      if (byte < 128) return value;
    }
  }
  take(size: number): Buffer {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
}

/** Staged output: by topic and partition, the record batches. */
export function readStaged(payload: Buffer): { topic: string; partition: number; batches: Buffer }[] {
  const reader = new Reader(payload, 4);
  const sections: { topic: string; partition: number; bytes: number }[] = [];
  for (let left = reader.number(); left > 0; left--) {
    const topic = reader.take(reader.number()).toString('utf8');
    sections.push({ topic, partition: reader.number(), bytes: reader.number() });
  }
  return sections.map(({ topic, partition, bytes }) => ({ topic, partition, batches: reader.take(bytes) }));
}

/** A base or a delta of an operator with one state that counts: by key, the count. */
export function readCounts(payload: Buffer): Map<string, number | undefined> {
  if (payload[3] !== 2) throw new Error(`a snapshot of version ${payload[3]} where 2 is expected`);
  const reader = new Reader(payload, 8);
  const text = () => reader.take(reader.number()).toString('utf8');
  const states = reader.number();
  if (states !== 1) throw new Error(`${states} states where one is expected`);
  text();
  const kind = text();
  if (kind !== 'value') throw new Error(`a ${kind} state where one value is expected`);
  for (let serdes = reader.number(); serdes > 0; serdes--) text();
  let entries = 0;
  for (let groups = reader.number(); groups > 0; groups--) {
    reader.number();
    entries += reader.number();
    reader.number();
    reader.take(4);
  }
  const counts = new Map<string, number | undefined>();
  for (; entries > 0; entries--) {
    const key = reader.take(reader.number()).toString('utf8');
    const size = reader.number() - 1;
    counts.set(key, size < 0 ? undefined : Number(reader.take(size).readBigInt64BE(0)));
  }
  return counts;
}
