import { BlobConflictError, BlobMissingError, type BlobStore } from '../ports/blob-store.ts';

const WHERE = 'the memory of this test';

/** Blobs in memory. Nothing of it is ever changed: who goes back to an earlier epoch finds what that had. */
export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, Buffer>();
  return {
    async put(name, ...parts) {
      const bytes = Buffer.concat(parts);
      const known = blobs.get(name);
      if (known !== undefined && !known.equals(bytes)) throw new BlobConflictError(name, WHERE);
      blobs.set(name, bytes);
    },
    async get(name, range) {
      const bytes = blobs.get(name);
      if (bytes === undefined) throw new BlobMissingError(name, WHERE);
      // A copy: what was staged is stamped in place.
      return Buffer.from(range === undefined ? bytes : bytes.subarray(range.start, range.end));
    },
    async delete(names) {
      for (const name of names) blobs.delete(name);
    },
    async *list(prefix) {
      for (const [name, { length: bytes }] of [...blobs].sort()) if (name.startsWith(prefix)) yield { name, bytes, modifiedAtMs: 0 };
    },
  };
}
