import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BlobKind, CorruptBlobError, openBlob, sealBlob } from '../../../lib/format/blob.ts';

const KINDS: readonly BlobKind[] = ['exchange', 'output', 'state', 'manifest'];
const anyKind = fc.constantFrom(...KINDS);
const anyParts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });

test('a blob gives back the payload that it was sealed with, parts joined', () => {
  fc.assert(
    fc.property(anyKind, anyParts, (kind, parts) => {
      expect(openBlob(kind, Buffer.concat(sealBlob(kind, parts)), 'b').equals(Buffer.concat(parts))).toBe(true);
    }),
  );
});

test('one flipped bit anywhere in a blob is found', () => {
  fc.assert(
    fc.property(anyKind, anyParts, fc.nat(), (kind, parts, at) => {
      const blob = Buffer.concat(sealBlob(kind, parts));
      const bit = at % (blob.length * 8);
      blob[bit >>> 3] = (blob[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openBlob(kind, blob, 'b')).toThrow(CorruptBlobError);
    }),
    { numRuns: 500 },
  );
});

test('a blob that is cut off, or longer than it was, is found', () => {
  fc.assert(
    fc.property(anyKind, anyParts, fc.nat(), (kind, parts, at) => {
      const blob = Buffer.concat(sealBlob(kind, parts));
      expect(() => openBlob(kind, blob.subarray(0, at % blob.length), 'b')).toThrow(CorruptBlobError);
      expect(() => openBlob(kind, Buffer.concat([blob, Buffer.of(0)]), 'b')).toThrow(CorruptBlobError);
    }),
  );
});

test('a blob of another kind names both kinds', () => {
  const blob = Buffer.concat(sealBlob('state', [Buffer.from('x')]));
  expect(() => openBlob('exchange', blob, 'job/inc/exchange/count-000000000007-abc')).toThrow(
    'blob job/inc/exchange/count-000000000007-abc (expected: exchange) cannot be used: it is of kind state',
  );
});

test.each<[BlobKind, string]>([
  ['exchange', 'it is an exchange of format version 9, and this build reads version 1: run the build that wrote it, or a later one'],
  ['output', 'it is staged output of format version 9, and this build reads version 1: run'],
  ['state', 'it is a snapshot of state of format version 9, and this build reads versions 1 to 3: run'],
  ['manifest', 'it is a manifest of format version 9, and this build reads version 1: run'],
])('a blob of a later version of its format says which and what to do: %s', (kind, message) => {
  const blob = Buffer.concat(sealBlob(kind, [Buffer.from('x')]));
  blob[4] = 9;
  expect(() => openBlob(kind, blob, 'b')).toThrow(`blob b (expected: ${kind}) cannot be used: ${message}`);
});

test('each format has a version of its own', () => {
  const versions = KINDS.map((kind) => Buffer.concat(sealBlob(kind, [])).readUInt8(4));
  expect(versions).toEqual([1, 1, 3, 1]);
});

test('damage does not make one version of another', () => {
  const blob = Buffer.concat(sealBlob('state', [Buffer.from('x')]));
  blob[4] = 1;
  expect(() => openBlob('state', blob, 'b')).toThrow('its checksum is');
});

test('bytes of something else are told apart', () => {
  expect(() => openBlob('state', Buffer.from('<?xml version="1.0"?>'), 'b')).toThrow('not written by Onceflow');
});
