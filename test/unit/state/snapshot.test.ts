import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { decodeHead, partOf, snapshotOfPart } from '../../../lib/state/snapshot/head.ts';
import { readSnapshot } from '../../../lib/state/snapshot/reader.ts';
import { SnapshotWriter } from '../../../lib/state/snapshot/writer.ts';
import type { StoredState } from '../../../lib/state/stored-state.ts';

interface Entry {
  readonly keyGroup: number;
  /** Bytes as latin1. */
  readonly key: string;
  /** Bytes as latin1. */
  readonly held: (string | undefined)[];
}

const STATES: StoredState[] = [
  { name: 'text', kind: 'value', serdes: ['utf8'] },
  { name: 'any', kind: 'map', serdes: ['utf8', 'structured'] },
];
const ALL = { first: 0, last: 32_767 };

function write(entries: readonly Entry[], states = STATES): Buffer {
  const writer = new SnapshotWriter(
    'base',
    states.map((_, index) => ({
      write(number, out) {
        const held = entries[number]?.held[index];
        if (held !== undefined) out.raw(Buffer.from(held, 'latin1'));
        return held !== undefined;
      },
    })),
  );
  let keyGroup = -1;
  for (const [number, entry] of entries.entries()) {
    if (entry.keyGroup !== keyGroup) writer.group(entry.keyGroup);
    keyGroup = entry.keyGroup;
    writer.entry(entry.key, number);
  }
  return Buffer.concat(writer.finish(states));
}

function read(payload: Buffer, range = ALL, states = STATES): Entry[] {
  const entries: Entry[] = [];
  readSnapshot(payload, 'test', states, range, ({ keyGroup, bytes, start, end, isEmpty, starts, ends }) => {
    const held = starts.map((from, index) => (from < 0 ? undefined : bytes.toString('latin1', from, ends[index])));
    if (isEmpty !== held.every((each) => each === undefined)) throw new Error(`an entry that holds ${held} says isEmpty ${isEmpty}`);
    entries.push({ keyGroup, key: bytes.toString('latin1', start, end), held });
  });
  return entries;
}

const latin1 = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const heldBytes = fc.option(latin1, { nil: undefined });
const entry = fc.record({
  keyGroup: fc.integer({ min: 0, max: 200 }),
  key: latin1,
  held: fc.tuple(heldBytes, heldBytes).map((pair): (string | undefined)[] => pair),
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
  const payload = write([{ keyGroup: 1, key: 'k', held: ['hello', '7'] }]);
  const now: StoredState[] = [{ name: 'new', kind: 'value', serdes: ['int64'] }, ...STATES.slice(1)];
  expect(read(payload, ALL, now)).toEqual([{ keyGroup: 1, key: 'k', held: [undefined, '7'] }]);
});

test('a state is not read through another serde than it was written with', () => {
  const payload = write([{ keyGroup: 1, key: 'k', held: ['hello', '7'] }]);
  expect(() => read(payload, ALL, [{ name: 'text', kind: 'value', serdes: ['structured'] }])).toThrow(
    'test: state text had serde utf8 and has now structured',
  );
  expect(() => read(payload, ALL, [{ name: 'any', kind: 'map', serdes: ['utf8', 'json'] }])).toThrow(
    'test: state any had serde utf8, structured and has now utf8, json',
  );
});

test('a state is not read as another kind than it was written as', () => {
  const payload = write([{ keyGroup: 1, key: 'k', held: ['hello', '7'] }]);
  expect(() => read(payload, ALL, [{ name: 'text', kind: 'list', serdes: ['utf8'] }])).toThrow(
    'test: state text was written as a value state and the job reads it as a list state: keep it as it was, and give the list state another name',
  );
});

test('key groups out of order are refused', () => {
  expect(() =>
    write([
      { keyGroup: 2, key: 'k', held: [] },
      { keyGroup: 1, key: 'k', held: [] },
    ]),
  ).toThrow(RangeError);
});

const SAMPLE = write(
  Array.from({ length: 40 }, (_, index) => ({ keyGroup: index >> 2, key: `key-${index}`, held: ['t'.repeat(index * 5), `${index}`] })),
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
