import { expect, test } from 'vitest';
import { sealBlob } from '../../../lib/format/blob.ts';
import type { ByteWriter } from '../../../lib/format/byte-writer.ts';
import type { BlobStore, ByteRange } from '../../../lib/ports/blob-store.ts';
import type { BlobRef, SnapshotRef } from '../../../lib/protocol/references.ts';
import type { StageDeps } from '../../../lib/stages/common.ts';
import { readSnapshotBlobs } from '../../../lib/stages/snapshot-blobs.ts';
import { readSnapshot } from '../../../lib/state/snapshot/reader.ts';
import { SnapshotWriter } from '../../../lib/state/snapshot/writer.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';

const STATES = [{ name: 'count', kind: 'value', serdes: ['int64'] }];
/** Holds eight bytes of each key. */
const held = {
  write(number: number, out: ByteWriter) {
    out.f64(number);
    return true;
  },
};
const ALL = { first: 0, last: 127 };
const random = { id: () => 'nonce', fraction: () => 0 };

/** A snapshot blob with `keys` keys in each of 128 key groups. */
function snapshotBlob(keys: number): Buffer {
  const writer = new SnapshotWriter('base', [held]);
  for (let keyGroup = 0; keyGroup < 128; keyGroup++) {
    writer.group(keyGroup);
    for (let key = 0; key < keys; key++) writer.entry(`key-${keyGroup}-${key}`, key);
  }
  return Buffer.concat(sealBlob('state', writer.finish(STATES)));
}

/** Stage dependencies on a store that answers nothing before `release`, and counts. */
function counting(stored: ReadonlyMap<string, Buffer>, inlineBlobBytes = 1_024) {
  const asked: { readonly name: string; readonly range: ByteRange | undefined }[] = [];
  let bytesRead = 0;
  const gate = Promise.withResolvers<void>();
  const store = {
    async get(name: string, range?: ByteRange) {
      asked.push({ name, range });
      await gate.promise;
      const bytes = Buffer.from(stored.get(name)?.subarray(range?.start, range?.end) ?? []);
      bytesRead += bytes.length;
      return bytes;
    },
  } as unknown as BlobStore;
  const deps = { blobs: createBlobs(store, random), inlineBlobBytes } as StageDeps;
  return { deps, asked, release: gate.resolve, bytesRead: () => bytesRead };
}

const refOf = (name: string, blob: Buffer): BlobRef => ({ at: 'store', name, bytes: blob.length });

function keysOf(payloads: readonly Buffer[]): number[] {
  const groups: number[] = [];
  for (const payload of payloads) readSnapshot(payload, 'test', STATES, ALL, ({ keyGroup }) => groups.push(keyGroup));
  return groups;
}

test('base and deltas are asked for at once', async () => {
  const blob = snapshotBlob(1);
  const { deps, asked, release } = counting(new Map(['base', 'one', 'two'].map((name) => [name, blob])));
  const snapshot: SnapshotRef = { id: 'x', keyGroups: ALL, base: refOf('base', blob), deltas: [refOf('one', blob), refOf('two', blob)] };
  const reading = readSnapshotBlobs(deps, snapshot, ALL);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked.map(({ name }) => name)).toEqual(['base', 'one', 'two']);
  release();
  expect(keysOf(await reading)).toHaveLength(3 * 128);
});

test.each([
  ['the head is asked for in two parts where it is longer than a blob may be inline', 1_024, 3],
  ['the head comes with the first request where it is not', 8_192, 2],
])(
  'of a large snapshot of more key groups the head and the own key groups are read, and no more: %s',
  async (_how, inlineBytes, requests) => {
    const blob = snapshotBlob(500);
    const { deps, asked, release, bytesRead } = counting(new Map([['base', blob]]), inlineBytes);
    release();
    const wanted = { first: 32, last: 47 };
    const payloads = await readSnapshotBlobs(deps, { id: 'x', keyGroups: ALL, base: refOf('base', blob), deltas: [] }, wanted);
    expect(keysOf(payloads)).toEqual(Array.from({ length: 16 * 500 }, (_, index) => 32 + Math.floor(index / 500)));
    expect(asked).toHaveLength(requests);
    // A store refuses a range that is empty.
    for (const { range } of asked) expect(range?.end).toBeGreaterThan(range?.start ?? 0);
    expect(bytesRead()).toBeLessThan(blob.length / 7);
  },
);

test('a part that was damaged on the way is found, and a small blob is read whole', async () => {
  const blob = snapshotBlob(500);
  const damaged = Buffer.from(blob);
  damaged.writeUInt8(damaged.readUInt8(blob.length >> 1) ^ 1, blob.length >> 1);
  const large = counting(new Map([['base', damaged]]));
  large.release();
  const halves = { first: 0, last: 100 };
  const snapshot = (bytes: Buffer): SnapshotRef => ({ id: 'x', keyGroups: ALL, base: refOf('base', bytes), deltas: [] });
  await expect(readSnapshotBlobs(large.deps, snapshot(damaged), halves)).rejects.toThrow(/base: the checksum of key group 6\d is wrong/);
  const small = counting(new Map([['base', snapshotBlob(1)]]));
  small.release();
  await readSnapshotBlobs(small.deps, snapshot(snapshotBlob(1)), halves);
  expect(small.asked).toEqual([{ name: 'base', range: undefined }]);
});
