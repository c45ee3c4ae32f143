import { readFileSync } from 'node:fs';

type Base64 = string;
/** offset, timestamp, key, value, headers */
type FixtureRecord = [number, number, Base64 | null, Base64 | null, [Base64, Base64 | null][]];
export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Bytes made by Kafka's own Java client: see test/fixtures/README.md. */
export const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/kafka-java-client.json', import.meta.url), 'utf8')) as {
  small: Record<Codec, Base64> & { records: FixtureRecord[] };
  large: Record<Exclude<Codec, 'none'>, Base64>;
  logAppendTime: { bytes: Base64; timestamp: number };
  transactional: { bytes: Base64 };
  transactions: { bytes: Base64; aborted: [number, number][]; committed: [number, string][]; nextOffset: number };
  compacted: { bytes: Base64; records: FixtureRecord[] };
  magic0: Base64;
  magic1: Base64;
  rawSnappy: Base64;
  murmur2: [Base64, number, number][];
  int32: [number, Base64][];
  int64: [number, Base64][];
  int64Outside: Base64[];
  float64: [number, Base64][];
  utf8: [string, Base64][];
  lz4Frames: Record<string, Base64>;
};

export function fromBase64(text: Base64): Buffer {
  return Buffer.from(text, 'base64');
}
