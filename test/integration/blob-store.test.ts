import { randomUUID } from 'node:crypto';
import { describe } from 'vitest';
import { createS3Client } from '../../lib/aws/clients.ts';
import { createBucket, createS3BlobStore } from '../../lib/aws/s3-blob-store.ts';
import { blobStoreContract } from '../contracts/blob-store.ts';

describe.each(['', 'some/prefix'])('the S3 blob store with the prefix %j', (prefix) => {
  blobStoreContract(async () => {
    const client = createS3Client();
    const bucket = `onceflow-${randomUUID()}`;
    await createBucket(client, bucket);
    return createS3BlobStore({ client, bucket, prefix });
  });
});
