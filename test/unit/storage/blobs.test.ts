import { expect, it } from 'vitest';
import type { BlobStore } from '../../../lib/ports/blob-store.ts';
import { createBlobs, epochOfBlob } from '../../../lib/storage/blobs.ts';

it('a blob travels inside its reference up to the bound, the bound included, and is stored beyond it', async () => {
  const stored: string[] = [];
  const blobs = createBlobs({ put: async (name: string) => void stored.push(name) } as Partial<BlobStore> as BlobStore, {
    id: () => 'abc',
    fraction: () => 0,
  });
  const place = { job: 'job', incarnation: 'i1', stage: 'count', subtask: 2, epoch: 7 };
  const write = (upTo: number) => blobs.write(place, 'output', 'output', [Buffer.from('payload')], upTo);
  const inline = await write(1_000);
  if (inline.at !== 'inline') throw new Error('it was stored');
  const size = Buffer.from(inline.base64, 'base64').length;
  expect((await write(size)).at).toBe('inline');
  expect(await write(size - 1)).toEqual({ at: 'store', name: 'job/i1/output/count-2-000000000007-abc', bytes: size });
  expect(stored.map(epochOfBlob)).toEqual([7]);
});
