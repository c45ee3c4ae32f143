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
  text(): string {
    return this.take(this.number()).toString('utf8');
  }
  /** Behind its size and one; 0 where there is none. */
  optional(): Buffer | undefined {
    const size = this.number() - 1;
    return size < 0 ? undefined : this.take(size);
  }
  times<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }
}

/** Staged output: by topic and partition, the record batches. */
export function readStaged(payload: Buffer): { topic: string; partition: number; batches: Buffer }[] {
  const reader = new Reader(payload, 4);
  const sections: { topic: string; partition: number; bytes: number }[] = [];
  for (let left = reader.number(); left > 0; left--) {
    const topic = reader.text();
    sections.push({ topic, partition: reader.number(), bytes: reader.number() });
  }
  return sections.map(({ topic, partition, bytes }) => ({ topic, partition, batches: reader.take(bytes) }));
}

/** What a base or a delta says of an operator's state. */
export interface StoredState {
  readonly states: readonly { readonly name: string; readonly serde: string }[];
  readonly entries: readonly StoredKey[];
}

/** The whole state of a key; in a delta without any value: it was cleared. */
export interface StoredKey {
  readonly keyGroup: number;
  readonly key: Buffer;
  /** In the order of the states. */
  readonly values: readonly (Buffer | undefined)[];
}

export function readState(payload: Buffer): StoredState {
  if (payload[3] !== 2) throw new Error(`a snapshot of version ${payload[3]} where 2 is expected`);
  const reader = new Reader(payload, 8);
  const states = reader.times(reader.number(), () => {
    const [name, kind] = [reader.text(), reader.text()];
    const serdes = reader.times(reader.number(), () => reader.text());
    if (kind !== 'value' || serdes.length !== 1) throw new Error(`state ${name} is ${kind} of ${serdes}: the checker reads values`);
    return { name, serde: serdes[0] as string };
  });
  const groups = reader.times(reader.number(), () => {
    const group = { keyGroup: reader.number(), entries: reader.number() };
    reader.number();
    reader.take(4);
    return group;
  });
  const entries = groups.flatMap((group) =>
    reader.times(group.entries, () => ({
      keyGroup: group.keyGroup,
      key: reader.take(reader.number()),
      values: states.map(() => reader.optional()),
    })),
  );
  return { states, entries };
}
