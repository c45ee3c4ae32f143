import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { OpenUpload, UploadStore } from '../ports/uploads.ts';
import { problemOf } from './aws-problem.ts';
import type { S3Place } from './s3-blob-store.ts';

/** Files as objects of a bucket, each a multipart upload. */
export function createS3Uploads(place: S3Place): UploadStore {
  const { client, bucket: Bucket } = place;
  const at = (key: string) => ({ Bucket, Key: keyOf(place, key) });
  return {
    async begin(key, ContentType) {
      const command = new CreateMultipartUploadCommand({ ...at(key), ContentType });
      const { UploadId } = await explained(place, 'CreateMultipartUpload', ['s3:PutObject'], () => client.send(command));
      if (UploadId === undefined) throw new Error('S3 gave an upload no name');
      return UploadId;
    },
    async part(key, UploadId, PartNumber, Body) {
      const command = new UploadPartCommand({ ...at(key), UploadId, PartNumber, Body });
      const { ETag = '', ChecksumCRC32 } = await explained(place, 'UploadPart', ['s3:PutObject'], () => client.send(command));
      return ChecksumCRC32 === undefined ? ETag : `${ETag} ${ChecksumCRC32}`;
    },
    async complete(key, UploadId, parts) {
      const command = new CompleteMultipartUploadCommand({
        ...at(key),
        UploadId,
        MultipartUpload: { Parts: parts.map((part, index) => ({ ...partOf(part), PartNumber: index + 1 })) },
        IfNoneMatch: '*',
      });
      const completed = await unless(place, 'CompleteMultipartUpload', { 404: 'gone', 412: 'exists' }, () => client.send(command));
      return typeof completed === 'string' ? completed : 'completed';
    },
    async abort(key, UploadId) {
      await unless(place, 'AbortMultipartUpload', { 404: 'gone' }, () =>
        client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId })),
      );
    },
    async isOpen(key, UploadId) {
      const command = new ListPartsCommand({ ...at(key), UploadId, MaxParts: 1 });
      return (await unless(place, 'ListParts', { 404: 'gone' }, () => client.send(command))) !== 'gone';
    },
    async sizeOf(key) {
      const found = await unless(place, 'HeadObject', { 404: 'gone' }, () => client.send(new HeadObjectCommand(at(key))));
      return found === 'gone' ? undefined : (found.ContentLength ?? 0);
    },
    open: () => listOpen(place),
  };
}

/** The permissions that each call needs. */
const PERMISSIONS = {
  CompleteMultipartUpload: ['s3:PutObject'],
  AbortMultipartUpload: ['s3:AbortMultipartUpload'],
  ListParts: ['s3:ListMultipartUploadParts'],
  // Without ListBucket S3 answers AccessDenied for a key that does not exist.
  HeadObject: ['s3:GetObject', 's3:ListBucket'],
} as const;

/** By status: answers that say what they say, and are no failure. But a bucket that is gone is one. */
async function unless<T, A extends string>(
  place: S3Place,
  action: keyof typeof PERMISSIONS,
  answers: Readonly<Record<number, A>>,
  send: () => Promise<T>,
): Promise<T | A> {
  return explained(place, action, PERMISSIONS[action], async () => {
    try {
      return await send();
    } catch (error) {
      const answer = error instanceof S3ServiceException ? answers[error.$metadata.httpStatusCode ?? 0] : undefined;
      if (answer === undefined || (error as Error).name === 'NoSuchBucket') throw error;
      return answer;
    }
  });
}

async function listOpen(place: S3Place): Promise<readonly OpenUpload[]> {
  const { client, bucket: Bucket } = place;
  const Prefix = keyOf(place, '');
  const open: OpenUpload[] = [];
  let from: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const command = new ListMultipartUploadsCommand({ Bucket, Prefix, ...from });
    const page = await explained(place, 'ListMultipartUploads', ['s3:ListBucketMultipartUploads'], () => client.send(command));
    for (const { Key = '', UploadId = '' } of page.Uploads ?? []) open.push({ key: Key.slice(Prefix.length), upload: UploadId });
    if (page.IsTruncated !== true) return open;
    from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

function partOf(part: string): { readonly ETag: string; readonly ChecksumCRC32?: string } {
  const [ETag = '', ChecksumCRC32] = part.split(' ');
  return ChecksumCRC32 === undefined ? { ETag } : { ETag, ChecksumCRC32 };
}

function keyOf({ prefix }: S3Place, key: string): string {
  return prefix === '' ? key : `${prefix}/${key}`;
}

async function explained<T>(place: S3Place, action: string, permissions: readonly string[], send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const target = `bucket ${place.bucket}`;
    throw await problemOf(error, { service: 'S3', action, permissions, target, option: 'the location of a sink' }, place.client.config);
  }
}
