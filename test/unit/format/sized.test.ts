import { expect, test } from 'vitest';
import { ByteWriter } from '../../../lib/format/byte-writer.ts';
import type { Serde } from '../../../lib/format/serde.ts';
import { bytes } from '../../../lib/format/serdes.ts';
import { putSized } from '../../../lib/format/sized.ts';

test.each([0, 1] as const)('a value stands behind its length plus %i, whatever the length needs', (plus) => {
  for (const size of [0, 1, 126, 127, 128, 129, 16_382, 16_383, 16_384, 3_000_000]) {
    const out = new ByteWriter(16);
    out.u8(9);
    putSized(out, bytes as Serde<unknown>, Buffer.alloc(size, 5), plus);
    const expected = new ByteWriter();
    expected.u8(9);
    expected.varint(size + plus);
    expected.raw(Buffer.alloc(size, 5));
    expect(out.view().equals(expected.view())).toBe(true);
  }
});
