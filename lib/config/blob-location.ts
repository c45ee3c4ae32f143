/** Where blobs are: a folder (`file:///abs/path`) or a bucket with an optional key prefix (`s3://bucket/prefix`). */
export type BlobLocation =
  | { readonly kind: 'file'; readonly folder: string }
  /** `prefix` has no slash at its ends; empty when there is none. */
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };

export const BLOB_LOCATION_RULE = 'file:///absolute/folder, or s3://bucket, or s3://bucket/prefix (letters, digits, . _ - in the prefix)';

/** Undefined when `url` does not keep BLOB_LOCATION_RULE. */
export function parseBlobLocation(url: string): BlobLocation | undefined {
  if (url.startsWith('file://')) return parseFolder(url);
  const s3 = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?<rest>\/.*)?$/.exec(url);
  if (s3 === null) return undefined;
  const prefix = (s3.groups?.['rest'] ?? '').replace(/^\//, '').replace(/\/$/, '');
  if (prefix !== '' && !prefix.split('/').every(isPlainSegment)) return undefined;
  return { kind: 's3', bucket: s3.groups?.['bucket'] ?? '', prefix };
}

function parseFolder(url: string): BlobLocation | undefined {
  // Not `fileURLToPath`: a person writes the path as the shell shows it, and a space or a % in it means itself.
  const path = url.slice('file://'.length);
  if (!path.startsWith('/') || path.includes('\0')) return undefined;
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length === 0 || segments.includes('..') || segments.includes('.')) return undefined;
  return { kind: 'file', folder: `/${segments.join('/')}` };
}

function isPlainSegment(segment: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(segment) && segment !== '.' && segment !== '..';
}
