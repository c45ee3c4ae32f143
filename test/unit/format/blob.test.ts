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

test('a blob of a later format version says so', () => {
  const blob = Buffer.concat(sealBlob('state', [Buffer.from('x')]));
  blob[4] = 9;
  expect(() => openBlob('state', blob, 'b')).toThrow('it has format version 9 and this build reads version 1');
});

test('bytes of something else are told apart', () => {
  expect(() => openBlob('state', Buffer.from('<?xml version="1.0"?>'), 'b')).toThrow('not written by Onceflow');
});
