import type { StateDeclaration } from '../../../lib/state/columns/columns.ts';

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
    return this.sized().toString('utf8');
  }
  sized(): Buffer {
    return this.take(this.number());
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

/** What is staged for a function: the rows of each batch, which the structured serde wrote of strings. */
export function readRowBatches(payload: Buffer): string[][] {
  const batches: string[][] = [];
  const reader = new Reader(payload);
  while (reader.at < payload.length) {
    const rows = payload.readUInt32LE(reader.at);
    reader.at += 8;
    // A tag, and the text.
    batches.push(reader.times(rows, () => reader.sized().subarray(1).toString('utf8')));
  }
  return batches;
}

/** What is staged for files of lines. */
export function readFileRows(payload: Buffer): string[] {
  const text = payload.subarray(4 + payload.readUInt32LE(0)).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** What a base or a delta says of an operator's state. */
export interface StoredSnapshot {
  readonly states: readonly { readonly name: string; readonly kind: string; readonly serdes: readonly string[] }[];
  readonly entries: readonly StoredKey[];
}

/** The state of a key: of each state all of it, or what changed, as its kind has it. In a delta without any: it was cleared. */
export interface StoredKey {
  readonly keyGroup: number;
  readonly key: Buffer;
  /** In the order of the states. */
  readonly parts: readonly (Buffer | undefined)[];
}

export function readState(payload: Buffer): StoredSnapshot {
  const version = payload[3];
  if (version !== 2 && version !== 3) throw new Error(`a snapshot of version ${version} where 2 or 3 is expected`);
  const reader = new Reader(payload, 8);
  const states = reader.times(reader.number(), () => {
    const [name, kind] = [reader.text(), reader.text()];
    return { name, kind, serdes: reader.times(reader.number(), () => reader.text()) };
  });
  const saysDue = version === 3 && reader.number() === 1;
  const groups = reader.times(reader.number(), () => {
    const group = { keyGroup: reader.number(), entries: reader.number() };
    reader.number();
    reader.take(4);
    // Which times it has, and each.
    if (saysDue) reader.take([0, 8, 8, 16][reader.number()] as number);
    return group;
  });
  const entries = groups.flatMap((group) =>
    reader.times(group.entries, () => ({
      keyGroup: group.keyGroup,
      key: reader.take(reader.number()),
      parts: states.map(() => reader.optional()),
    })),
  );
  return { states, entries };
}

/** What a state holds of a key: a value's encoding, a list's, or a map's by that of the key (as latin1); or timers, by domain and time. */
export type Kept = Buffer | readonly Buffer[] | ReadonlyMap<string, Buffer>;

/** What was written in an earlier form, in that of now. */
export interface Renewal {
  key(encoded: Buffer): Buffer;
  value(encoded: Buffer): Buffer;
}

export const asItIs: Renewal = { key: (encoded) => encoded, value: (encoded) => encoded };

/** What a state holds of a key behind a part of a snapshot, on top of what it held before. */
export function withPart({ kind, ttl }: StateDeclaration, before: Kept | undefined, part: Buffer, renewal: Renewal): Kept {
  const reader = new Reader(part);
  if (kind !== 'list' || ttl === undefined) return readers[kind](reader, before, renewal);
  // A list says first before which time what was written is gone.
  const bound = reader.sized();
  const left = Array.isArray(before) ? before.filter((item: Buffer) => Buffer.compare(item.subarray(0, bound.length), bound) >= 0) : [];
  return readers.list(reader, left, renewal);
}

const whole = (reader: Reader, _: Kept | undefined, { value }: Renewal): Kept => value(reader.bytes);

const readers: { readonly [K in StateDeclaration['kind']]: (reader: Reader, before: Kept | undefined, renewal: Renewal) => Kept } = {
  value: whole,
  reducing: whole,
  aggregating: whole,
  list(reader, before, { value }) {
    const kept = reader.number();
    const list = Array.isArray(before) ? before.slice(0, kept) : [];
    if (list.length < kept) throw new Error(`a delta keeps ${kept} entries of a list of ${list.length}`);
    for (let left = reader.number(); left > 0; left--) list[reader.number()] = value(reader.sized());
    for (let left = reader.number(); left > 0; left--) list.push(value(reader.sized()));
    return list;
  },
  timers(reader, before) {
    const form = reader.number();
    const timers = new Map(form === 1 && before instanceof Map ? before : []);
    for (const domain of ['event', 'processing']) {
      const size = reader.number();
      for (let left = form === 0 ? size : reader.number(); left > 0; left--) {
        const name = `${domain} ${reader.take(8).readDoubleLE(0)}`;
        if (form === 0 || reader.number() === 1) timers.set(name, Buffer.alloc(0));
        else timers.delete(name);
      }
      const there = [...timers.keys()].filter((name) => name.startsWith(domain)).length;
      if (there !== size) throw new Error(`${there} timers of ${domain} time where there should be ${size}`);
    }
    return timers;
  },
  waiting: (reader, before, { value }) => readMap(reader, before, { nameOf: rowName, value }),
  map: (reader, before, { key, value }) => readMap(reader, before, { nameOf: (name) => key(name).toString('latin1'), value }),
};

function readMap(
  reader: Reader,
  before: Kept | undefined,
  { nameOf, value: renewed }: { readonly nameOf: (key: Buffer) => string; readonly value: Renewal['value'] },
): ReadonlyMap<string, Buffer> {
  const form = reader.number();
  const map = new Map(form === 1 && before instanceof Map ? before : []);
  const size = reader.number();
  const keys: Buffer[] = [];
  for (let left = form === 0 ? size : reader.number(); left > 0; left--) {
    const key = reader.sized();
    keys.push(key);
    const value = form === 0 ? reader.sized() : reader.optional();
    if (value === undefined) map.delete(nameOf(key));
    else map.set(nameOf(key), renewed(value));
  }
  if (map.size !== size) throw new Error(`a map of ${map.size} entries where there should be ${size}`);
  for (const [at, key] of keys.entries())
    if (at > 0 && Buffer.compare(keys[at - 1] as Buffer, key) >= 0) throw new Error('keys of a map are not in the order of their bytes');
  return map;
}

/** Time and origin of a row that waits, as `interpreter/waiting.ts` has them. */
function rowName(bytes: Buffer): string {
  const timeMs = (bytes.readUIntBE(0, 3) - 2 ** 21) * 2 ** 32 + bytes.readUInt32BE(3);
  // No uid begins with such a byte: it is the input, where there are several.
  const input = (bytes[7] as number) < 32 ? bytes[7] : undefined;
  const origin = originName(bytes.subarray(input === undefined ? 7 : 8));
  return `${timeMs} ${origin}${input === undefined ? '' : ` ${input}`}`;
}

function originName(bytes: Buffer): string {
  const ofTimer = bytes[0] === 255;
  const end = bytes.indexOf(0);
  const uid = bytes.toString('latin1', ofTimer ? 1 : 0, end);
  if (ofTimer) return `t|${uid}|${bytes[end + 1] === 0x65 ? 'event' : 'processing'}|${bytes.toString('hex', end + 10)}`;
  const nths = Array.from({ length: (bytes.length - end - 12) / 4 }, (_, nth) => `.${bytes.readUInt32BE(end + 12 + nth * 4)}`);
  return `r|${uid}|${bytes.readUInt32BE(end + 1)}|${bytes.readUIntBE(end + 6, 6)}|${nths.join('')}`;
}
