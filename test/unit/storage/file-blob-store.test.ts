import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { createFileBlobStore } from '../../../lib/storage/file-blob-store.ts';
import { blobStoreContract } from '../../contracts/blob-store.ts';

describe('the file blob store', () => {
  let folder = '';
  blobStoreContract(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onceflow-blobs-'));
    return createFileBlobStore({ folder: join(folder, 'made/by/the/store') });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
});
