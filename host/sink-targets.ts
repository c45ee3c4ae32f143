import { BLOB_LOCATION_RULE, parseBlobLocation } from '../lib/config/blob-location.ts';
import type { ItemTables } from '../lib/ports/item-tables.ts';
import type { SinkTargets } from '../lib/ports/sink-targets.ts';
import { StoreProblem } from '../lib/ports/store-problem.ts';
import type { UploadStore } from '../lib/ports/uploads.ts';

/** What sinks write to besides topics, each opened once in a process, when it is first asked for. */
export function openSinkTargets(): SinkTargets {
  const uploads = new Map<string, Promise<UploadStore>>();
  let items: Promise<ItemTables> | undefined;
  return {
    uploads(location) {
      const known = uploads.get(location) ?? openUploads(location);
      uploads.set(location, known);
      return known;
    },
    items() {
      items ??= openItems();
      return items;
    },
  };
}

async function openUploads(url: string): Promise<UploadStore> {
  const location = parseBlobLocation(url);
  if (location === undefined) throw new StoreProblem(`the location of a sink is ${url}, and must be ${BLOB_LOCATION_RULE}`, false);
  if (location.kind === 'file') {
    const { createFolderUploads } = await import('../lib/storage/folder-uploads.ts');
    return createFolderUploads({ folder: location.folder });
  }
  const [{ createS3Client }, { createS3Uploads }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/s3-uploads.ts'),
  ]);
  return createS3Uploads({ client: createS3Client(), bucket: location.bucket, prefix: location.prefix });
}

async function openItems(): Promise<ItemTables> {
  const [{ createDynamoDbClient }, { createItemTables }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/dynamo-items.ts'),
  ]);
  return createItemTables(createDynamoDbClient());
}
