import { ByteWriter, type Serde } from '../../../lib/api/index.ts';

/** What a serde writes. */
export function bytesOf<T>(serde: Serde<T>, value: T): Buffer {
  const out = new ByteWriter(8);
  serde.write(value, out);
  return Buffer.from(out.view());
}

/** What it reads, in the middle of other bytes. */
export function readOf<T>(serde: Serde<T>, bytes: Buffer): T {
  const around = Buffer.concat([Buffer.from([0xff, 0xff]), bytes, Buffer.from([0xff, 0xff])]);
  return serde.read(around, 2, 2 + bytes.length);
}
