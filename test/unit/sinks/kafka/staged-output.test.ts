import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptBlobError } from '../../../../lib/format/blob.ts';
import { decodeStagedOutput, encodeStagedOutput } from '../../../../lib/sinks/kafka/staged-output.ts';

const anySections = fc.array(
  fc.record({
    topic: fc.oneof(fc.constantFrom('flink_kafka2', 'a'), fc.string({ maxLength: 249, unit: 'binary' })),
    partition: fc.nat(),
    batches: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 12 },
);

test('sections come back as they were, in order', () => {
  fc.assert(
    fc.property(anySections, (sections) => {
      expect(decodeStagedOutput(Buffer.concat(encodeStagedOutput(sections)), 'b')).toEqual(sections);
    }),
  );
});

test('batches are not copied to be read', () => {
  const payload = Buffer.concat(encodeStagedOutput([{ topic: 't', partition: 3, batches: Buffer.from('abc') }]));
  payload[payload.length - 1] = 'z'.charCodeAt(0);
  expect(decodeStagedOutput(payload, 'b')[0]?.batches.toString()).toBe('abz');
});

test('a payload that is cut off, or has bytes behind its end, is refused', () => {
  fc.assert(
    fc.property(anySections, fc.nat(), (sections, at) => {
      const payload = Buffer.concat(encodeStagedOutput(sections));
      expect(() => decodeStagedOutput(payload.subarray(0, at % payload.length), 'b')).toThrow(CorruptBlobError);
      expect(() => decodeStagedOutput(Buffer.concat([payload, Buffer.of(0)]), 'b')).toThrow(CorruptBlobError);
    }),
    { numRuns: 300 },
  );
});

test('what is wrong with a payload is said with its name', () => {
  const batches = Buffer.from('abc');
  const payload = Buffer.concat(encodeStagedOutput([{ topic: 'topic', partition: 3, batches }]));
  const indexBytes = payload.length - batches.length;
  const changed = (at: number, byte: number) => {
    const copy = Buffer.from(payload);
    copy[at] = byte;
    return copy;
  };
  for (const [damaged, what] of [
    [payload.subarray(0, 3), 'its index is cut off'],
    [payload.subarray(0, indexBytes - 1), 'its index is cut off'],
    [changed(0, 4), 'its index is cut off'],
    [payload.subarray(0, payload.length - 1), 'its section for topic-3 is cut off'],
    [Buffer.concat([payload, batches]), 'it holds more than its index names'],
    // Of no sections, and of two.
    [changed(4, 0), 'it holds more than its index names'],
    [changed(4, 2), 'its index ends within a section'],
    // A topic whose name is longer than the index.
    [changed(5, 100), 'its index ends within a section'],
  ] as const) {
    const refused = () => decodeStagedOutput(damaged, 'blob b');
    expect(refused).toThrow(CorruptBlobError);
    expect(refused).toThrow(what);
    expect(refused).toThrow('blob b');
  }
});
