import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { checkBlobName, checkBlobPrefix } from '../ports/blob-name.ts';
import { BlobConflictError, type BlobEntry, BlobMissingError, type BlobStore, type ByteRange } from '../ports/blob-store.ts';
import { jittered } from '../ports/pause.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { type AwsCall, problemOf } from './aws-problem.ts';

const MAX_KEYS_IN_DELETE = 1000;
/** S3 answers 409 when another write of the same key is under way; ours is the only one that may be. */
const CONFLICT_PAUSES_MS = [10, 20, 40, 80, 160, 320, 640];

export interface S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  /** Keys are `<prefix>/<blob name>`; empty for none. */
  readonly prefix: string;
  /** What names it, for messages. @default ONCEFLOW_BLOBS */
  readonly option?: string;
}

/** Blobs as objects in a bucket. Every failed call throws a `StoreProblem` that says what to change. */
export function createS3BlobStore(place: S3Place): BlobStore {
  return {
    put: (name, ...parts) => put(place, name, Buffer.concat(parts)),
    get: (name, range) => get(place, name, range),
    delete: (names) => deleteAll(place, names),
    list: (prefix) => list(place, prefix),
  };
}

/** For local stacks and tests; a deployment's bucket is made by its CDK app. No error when it exists. */
export async function createBucket(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.name !== 'BucketAlreadyOwnedByYou') throw error;
  }
}

async function put(place: S3Place, name: string, bytes: Uint8Array): Promise<void> {
  checkBlobName(name);
  for (let tries = 0; ; tries++) {
    const answer = await putOnce(place, name, bytes);
    if (answer === 'created') return;
    if (answer === 'exists') {
      const existing = await getIfThere(place, name);
      if (existing?.equals(bytes)) return;
      if (existing !== undefined) throw new BlobConflictError(name, whereOf(place));
    }
    // Being written at this moment, or deleted since: the same request again gives a clear answer.
    const pauseMs = CONFLICT_PAUSES_MS[tries];
    if (pauseMs === undefined)
      throw new StoreProblem(`blob ${name} in ${whereOf(place)} is contended: S3 refused ${tries + 1} conditional writes`, true);
    await sleep(jittered(pauseMs, Math.random()));
  }
}

async function putOnce(place: S3Place, name: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'contended'> {
  const command = new PutObjectCommand({ Bucket: place.bucket, Key: keyOf(place, name), Body: bytes, IfNoneMatch: '*' });
  try {
    await place.client.send(command);
    return 'created';
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 412) return 'exists';
    if (status === 409) return 'contended';
    throw await problemOf(error, callOf(place, 'PutObject', ['s3:PutObject']), place.client.config);
  }
}

async function get(place: S3Place, name: string, range?: ByteRange): Promise<Buffer> {
  checkBlobName(name);
  const bytes = await getIfThere(place, name, range);
  if (bytes === undefined) throw new BlobMissingError(name, whereOf(place));
  return bytes;
}

async function getIfThere(place: S3Place, name: string, range?: ByteRange): Promise<Buffer | undefined> {
  const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end - 1}`;
  const command = new GetObjectCommand({ Bucket: place.bucket, Key: keyOf(place, name), Range });
  try {
    const { Body, ContentLength } = await place.client.send(command);
    if (Body === undefined) return Buffer.alloc(0);
    const array = await Body.transformToByteArray();
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    if (ContentLength !== undefined && bytes.length !== ContentLength) {
      throw new StoreProblem(`blob ${name} in ${whereOf(place)} has ${ContentLength} bytes and ${bytes.length} of them arrived`, true);
    }
    return bytes;
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    // It begins behind the end of the blob.
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 416) return Buffer.alloc(0);
    if (error instanceof StoreProblem) throw error;
    // Without ListBucket S3 answers AccessDenied for a key that does not exist.
    throw await problemOf(error, callOf(place, 'GetObject', ['s3:GetObject', 's3:ListBucket']), place.client.config);
  }
}

async function deleteAll(place: S3Place, names: readonly string[]): Promise<void> {
  for (const name of names) checkBlobName(name);
  const call = callOf(place, 'DeleteObjects', ['s3:DeleteObject']);
  for (let start = 0; start < names.length; start += MAX_KEYS_IN_DELETE) {
    const Objects = names.slice(start, start + MAX_KEYS_IN_DELETE).map((name) => ({ Key: keyOf(place, name) }));
    const command = new DeleteObjectsCommand({ Bucket: place.bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await explained(place, call, () => place.client.send(command));
    const [first] = Errors;
    if (first === undefined) continue;
    const retriable = Errors.every(({ Code }) => Code === 'InternalError' || Code === 'SlowDown' || Code === 'ServiceUnavailable');
    const mend = retriable ? 'it may succeed later' : `give the role ${call.permissions.join(', ')}`;
    throw new StoreProblem(
      `${Errors.length} of ${Objects.length} blobs in ${whereOf(place)} were not deleted, the first being ${first.Key}: ${first.Code}: ${first.Message}; ${mend}`,
      retriable,
    );
  }
}

async function* list(place: S3Place, prefix: string): AsyncIterable<BlobEntry> {
  checkBlobPrefix(prefix);
  const call = callOf(place, 'ListObjectsV2', ['s3:ListBucket']);
  const pages = paginateListObjectsV2({ client: place.client }, { Bucket: place.bucket, Prefix: keyOf(place, prefix) });
  const skipped = keyOf(place, '').length;
  for (;;) {
    const page = await explained(place, call, () => pages.next());
    if (page.done) return;
    for (const { Key = '', Size = 0, LastModified } of page.value.Contents ?? []) {
      yield { name: Key.slice(skipped), bytes: Size, modifiedAtMs: LastModified?.getTime() ?? 0 };
    }
  }
}

async function explained<T>(place: S3Place, call: AwsCall, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw await problemOf(error, call, place.client.config);
  }
}

function keyOf({ prefix }: S3Place, name: string): string {
  return prefix === '' ? name : `${prefix}/${name}`;
}

function whereOf({ bucket, prefix }: S3Place): string {
  return prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
}

function callOf(place: S3Place, action: string, permissions: readonly string[]): AwsCall {
  return { service: 'S3', action, permissions, target: `bucket ${place.bucket}`, option: place.option ?? 'ONCEFLOW_BLOBS' };
}
