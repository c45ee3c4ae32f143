import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../lib/format/crc32c.ts';

function crcOf(bytes: Uint8Array): number {
  return crc32c(bytes, 0, bytes.length);
}

/** The definition, bit by bit. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('the vectors of RFC 3720 come out', () => {
  const counting = Uint8Array.from({ length: 32 }, (_, index) => index);
  expect(crcOf(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crcOf(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crcOf(counting)).toBe(0x46dd794e);
  expect(crcOf(counting.toReversed())).toBe(0x113fdb5c);
  const readCommand = '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' + '0200000000000000';
  expect(crcOf(Buffer.from(readCommand, 'hex'))).toBe(0xd9963a56);
  expect(crcOf(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('any range at any alignment has the CRC of the definition', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1500, size: 'max' }), fc.nat(40), fc.nat(40), (bytes, before, after) => {
      const end = Math.max(before, bytes.length - after);
      const start = Math.min(before, end);
      expect(crc32c(bytes, start, Math.min(end, bytes.length))).toBe(slowCrc(bytes.subarray(start, end)));
    }),
    { numRuns: 300 },
  );
});

test('a CRC goes on from the CRC of what comes before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1500, size: 'max' }), fc.nat(1500), (bytes, at) => {
      const middle = Math.min(at, bytes.length);
      expect(crc32c(bytes, middle, bytes.length, crc32c(bytes, 0, middle))).toBe(crcOf(bytes));
    }),
  );
});
