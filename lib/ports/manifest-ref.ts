import type { Manifest } from '../protocol/manifest.ts';

/** The manifest in its row, or where it is when it is larger than `MAX_ROW_MANIFEST_BYTES`. */
export type ManifestRef = { readonly at: 'row'; readonly manifest: Manifest } | { readonly at: 'blob'; readonly name: string };

/** The largest manifest, in bytes of its JSON, that a row holds: DynamoDB's limit for a row is 400 KB. */
export const MAX_ROW_MANIFEST_BYTES = 350_000;

/** `written`, or `superseded`: another generation holds the job and nothing was written. */
export type FencedWrite = 'written' | 'superseded';
