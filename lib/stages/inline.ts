import type { BlobRef } from '../protocol/references.ts';

/**
 * Blobs of one kind that travel inside one request or answer take at most this many bytes together. Of three kinds, and a third
 * longer as text, that is 4 MiB; Lambda takes 6 MB, and the rest is for what else they say.
 */
const INLINE_BUDGET_BYTES = 1024 * 1024;

/** What one of `meeting` references may hold inline; `wanted`: what it holds when few of them meet. */
export function inlineLimit(wanted: number, meeting: number): number {
  return Math.min(wanted, Math.floor(INLINE_BUDGET_BYTES / meeting));
}

/** Bytes that a reference holds itself. */
export function inlineBytes(ref: BlobRef | undefined): number {
  return ref?.at === 'inline' ? Math.ceil((ref.base64.length * 3) / 4) : 0;
}
