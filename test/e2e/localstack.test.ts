import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createS3Client } from '../../lib/aws/clients.ts';
import { createBucket, createS3BlobStore } from '../../lib/aws/s3-blob-store.ts';
import { requireEnv } from '../support/require-env.ts';
import { newWordCount } from '../support/word-count-run.ts';

/** Committed before the kill, and again after it. */
const EPOCHS = 3;

describe('on LocalStack', () => {
  it('which is what answers at AWS_ENDPOINT_URL, in the version that is pinned', async () => {
    const health = await fetch(`${requireEnv('AWS_ENDPOINT_URL')}/_localstack/health`);
    expect(await health.json()).toMatchObject({ version: '4.13.1', services: { s3: 'running', dynamodb: 'running' } });
  });

  it('the word count is exact, though everything is killed once while lines come in', async () => {
    const client = createS3Client();
    const bucket = `onceflow-${randomUUID()}`;
    await createBucket(client, bucket);
    // No blob is too small for S3.
    const count = await newWordCount({ env: { ONCEFLOW_BLOBS: `s3://${bucket}`, ONCEFLOW_INLINE_BLOB_BYTES: '0' } });
    const feed = count.feed();
    const first = count.job.start();
    await first.until('epochs', () => first.eventsOf('committed').length >= EPOCHS || undefined);
    await first.killAll();
    const second = count.job.start();
    await second.until('epochs', () => second.eventsOf('committed').length >= EPOCHS || undefined);
    await feed.stop();
    await count.expectExact(second);
    const blobs = await Array.fromAsync(createS3BlobStore({ client, bucket, prefix: '' }).list(''));
    expect(blobs.length).toBeGreaterThan(0);
  });
});
