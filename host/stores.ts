import type { BlobLocation } from '../lib/config/blob-location.ts';
import type { Config } from '../lib/config/parameters.ts';
import { parseTableLocation } from '../lib/config/table-location.ts';
import type { BlobStore } from '../lib/ports/blob-store.ts';
import type { EpochStore, JobRemoval } from '../lib/ports/epoch-store.ts';
import { systemClock } from './system.ts';

export async function openEpochStore({ table }: Pick<Config, 'table'>): Promise<EpochStore> {
  const location = parseTableLocation(table);
  if (location?.kind === 'file') return (await openSqlite(location.file)).epochs();
  const [{ createDynamoDbClient }, { createEpochStore }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/dynamo-epoch-store.ts'),
  ]);
  return createEpochStore({ client: createDynamoDbClient(), table });
}

/** What a command needs that may also remove a job. */
export interface JobStores {
  readonly epochs: EpochStore;
  readonly removal: JobRemoval;
  close(): void;
}

export async function openJobStores({ table }: Pick<Config, 'table'>): Promise<JobStores> {
  const location = parseTableLocation(table);
  if (location?.kind === 'file') {
    const [file, { createSqliteJobRemoval }] = await Promise.all([
      openSqlite(location.file),
      import('../lib/sqlite/sqlite-job-removal.ts'),
    ]);
    return { epochs: file.epochs(), removal: createSqliteJobRemoval(file), close: () => file.database.close() };
  }
  const [{ createDynamoDbClient }, { createEpochStore }, { createJobRemoval }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/dynamo-epoch-store.ts'),
    import('../lib/aws/dynamo-job-removal.ts'),
  ]);
  const store = { client: createDynamoDbClient(), table };
  return { epochs: createEpochStore(store), removal: createJobRemoval(store), close: () => store.client.destroy() };
}

async function openSqlite(file: string) {
  const [{ openDatabase }, { createSqliteEpochStore }] = await Promise.all([
    import('../lib/sqlite/database.ts'),
    import('../lib/sqlite/sqlite-epoch-store.ts'),
  ]);
  const database = openDatabase({ file });
  return { database, epochs: () => createSqliteEpochStore({ database, where: `file://${file}`, nowMs: systemClock.now }) };
}

export async function openBlobStore(location: BlobLocation, option = 'ONCEFLOW_BLOBS'): Promise<BlobStore> {
  if (location.kind === 'file') {
    const { createFileBlobStore } = await import('../lib/storage/file-blob-store.ts');
    return createFileBlobStore({ folder: location.folder, option });
  }
  const [{ createS3Client }, { createS3BlobStore }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/s3-blob-store.ts'),
  ]);
  return createS3BlobStore({ client: createS3Client(), bucket: location.bucket, prefix: location.prefix, option });
}
