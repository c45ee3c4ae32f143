import fc from 'fast-check';
import { expect, test } from 'vitest';
import { int64, structured, utf8 } from '../../../lib/format/serdes.ts';
import { readSnapshot, type SnapshotState, SnapshotWriter } from '../../../lib/format/snapshot.ts';
import { decodeHead, partOf, snapshotOfPart } from '../../../lib/format/snapshot-head.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';

interface Entry {
  readonly keyGroup: number;
  /** Bytes as latin1. */
  readonly key: string;
  readonly values: unknown[];
}

const STATES: SnapshotState[] = [
  { name: 'text', serde: utf8 },
  { name: 'any', serde: structured },
];
const ALL = { first: 0, last: 32_767 };

function write(entries: readonly Entry[], states = STATES): Buffer {
  const writer = new SnapshotWriter(states);
  let keyGroup = -1;
  for (const entry of entries) {
    if (entry.keyGroup !== keyGroup) writer.group(entry.keyGroup);
    keyGroup = entry.keyGroup;
    writer.entry(entry.key, entry.values);
  }
  return Buffer.concat(writer.finish());
}

function read(payload: Buffer, range = ALL, states = STATES): Entry[] {
  const entries: Entry[] = [];
  readSnapshot(payload, 'test', states, range, {
    entry: (keyGroup, bytes, start, end, values) =>
      entries.push({ keyGroup, key: bytes.toString('latin1', start, end), values: [...values] }),
  });
  return entries;
}

const entry = fc.record({
  keyGroup: fc.integer({ min: 0, max: 200 }),
  key: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  values: fc
    .tuple(fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }), { nil: undefined }), fc.option(fc.integer(), { nil: undefined }))
    .map((pair): unknown[] => pair),
});
const sorted = fc.array(entry, { maxLength: 30 }).map((entries) => entries.sort((a, b) => a.keyGroup - b.keyGroup));

test('entries come back as they were, and a range brings its key groups and no others', () => {
  fc.assert(
    fc.property(sorted, fc.nat(200), fc.nat(200), (entries, first, length) => {
      const payload = write(entries);
      expect(read(payload)).toEqual(entries);
      const last = first + length;
      expect(read(payload, { first, last })).toEqual(entries.filter(({ keyGroup }) => keyGroup >= first && keyGroup <= last));
    }),
  );
});

test('a part of a snapshot, with its head, is a snapshot of those key groups', () => {
  fc.assert(
    fc.property(sorted, fc.nat(200), fc.nat(200), (entries, first, length) => {
      const payload = write(entries);
      const range = { first, last: first + length };
      const { head, end } = decodeHead(payload, 'test');
      const part = partOf(head, range);
      const cut = snapshotOfPart(head, range, payload.subarray(end + part.start, end + part.end), 'test');
      expect(read(cut)).toEqual(read(payload, range));
    }),
  );
});

test('a part that is damaged or cut off is malformed, and so is a damaged head', () => {
  const { head, end } = decodeHead(SAMPLE, 'test');
  const range = { first: 3, last: 5 };
  const { start, end: partEnd } = partOf(head, range);
  const part = Buffer.from(SAMPLE.subarray(end + start, end + partEnd));
  expect(read(snapshotOfPart(head, range, part, 'test'))).toHaveLength(12);
  expect(() => snapshotOfPart(head, range, part.subarray(0, -1), 'test')).toThrow('test: the checksum of key group 5 is wrong');
  part.writeUInt8(part.readUInt8(2) ^ 1, 2);
  expect(() => snapshotOfPart(head, range, part, 'test')).toThrow('test: the checksum of key group 3 is wrong');
  const damaged = Buffer.from(SAMPLE);
  damaged.writeUInt8(damaged.readUInt8(end - 6) ^ 1, end - 6);
  expect(() => decodeHead(damaged, 'test')).toThrow("test: the checksum of the snapshot's head is wrong");
});

test('states are found by name: added ones are empty, moved ones stay, dropped ones are passed over', () => {
  const payload = write([{ keyGroup: 1, key: 'k', values: ['hello', 7] }]);
  const now: SnapshotState[] = [
    { name: 'new', serde: int64 },
    { name: 'any', serde: structured },
  ];
  expect(read(payload, ALL, now)).toEqual([{ keyGroup: 1, key: 'k', values: [undefined, 7] }]);
});

test('a state is not read through another serde than it was written with', () => {
  const payload = write([{ keyGroup: 1, key: 'k', values: ['hello', 7] }]);
  expect(() => read(payload, ALL, [{ name: 'text', serde: structured }])).toThrow(
    'test: state text was written with serde utf8 and the job reads it with structured',
  );
});

test('a value that its serde cannot encode is named', () => {
  expect(() => write([{ keyGroup: 1, key: 'k', values: [5, undefined] }])).toThrow(
    /state text holds a value that its serde utf8 cannot encode/,
  );
});

test('key groups out of order are refused', () => {
  expect(() =>
    write([
      { keyGroup: 2, key: 'k', values: [] },
      { keyGroup: 1, key: 'k', values: [] },
    ]),
  ).toThrow(RangeError);
});

const SAMPLE = write(
  Array.from({ length: 40 }, (_, index) => ({ keyGroup: index >> 2, key: `key-${index}`, values: ['t'.repeat(index * 5), index] })),
);

test('a snapshot that is cut off anywhere is malformed', () => {
  for (let length = 0; length < SAMPLE.length; length++)
    expect(() => read(Buffer.from(SAMPLE.subarray(0, length)))).toThrow(MalformedError);
});

test('garbage ends in a MalformedError or in entries, never in another error', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(SAMPLE.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const damaged = Buffer.from(SAMPLE);
      for (const [at, byte] of changes) damaged[at] = byte;
      try {
        read(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
      }
    }),
    { numRuns: 2000 },
  );
});
