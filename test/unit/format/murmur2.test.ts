import { expect, test } from 'vitest';
import { murmur2, toPositive } from '../../../lib/format/murmur2.ts';
import { fixtures, fromBase64 } from './kafka-fixtures.ts';

test("hashes are those of Kafka's Java client", () => {
  for (const [base64, hash, positive] of fixtures.murmur2) {
    const bytes = fromBase64(base64);
    expect(murmur2(bytes, 0, bytes.length)).toBe(hash);
    expect(toPositive(hash)).toBe(positive);
  }
});

test('only the given range is hashed', () => {
  const bytes = Buffer.from('....word....');
  const word = Buffer.from('word');
  expect(murmur2(bytes, 4, 8)).toBe(murmur2(word, 0, word.length));
});
