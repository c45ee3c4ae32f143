import { checkBlobName, checkBlobPrefix } from '../../../lib/ports/blob-name.ts';
import { BlobConflictError, type BlobEntry, BlobMissingError, type BlobStore } from '../../../lib/ports/blob-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import type { Carry } from './kafka-requests.ts';

interface StoredBlob {
  readonly bytes: Buffer;
  readonly modifiedAtMs: number;
}

/** Immutable blobs by name. */
export class BlobBucket {
  readonly blobs = new Map<string, StoredBlob>();
  onDelete: (name: string) => void = () => {};
  onPut: (name: string) => void = () => {};
  onMissing: (name: string) => void = () => {};
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  put(name: string, bytes: Buffer): void {
    const known = this.blobs.get(name);
    if (known === undefined) {
      this.blobs.set(name, { bytes, modifiedAtMs: this.#nowMs() });
      this.onPut(name);
    } else if (!known.bytes.equals(bytes)) throw new BlobConflictError(name, 'the model');
  }

  get(name: string): Buffer {
    const known = this.blobs.get(name);
    if (known !== undefined) return Buffer.from(known.bytes);
    this.onMissing(name);
    throw new BlobMissingError(name, 'the model (ONCEFLOW_BLOBS)');
  }

  delete(names: readonly string[]): void {
    for (const name of names) {
      if (this.blobs.has(name)) this.onDelete(name);
      this.blobs.delete(name);
    }
  }

  list(prefix: string): BlobEntry[] {
    return [...this.blobs]
      .filter(([name]) => name.startsWith(prefix))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, { bytes, modifiedAtMs }]) => ({ name, bytes: bytes.length, modifiedAtMs }));
  }
}

/** The engine's blob port on the model. */
export function modelBlobStore(bucket: BlobBucket, carry: Carry): BlobStore {
  const lost = (): never => {
    throw new StoreProblem('the bucket gave no answer', true);
  };
  const failure = { lost, error: lost };
  return {
    async put(name, ...parts) {
      checkBlobName(name);
      const sent = Buffer.concat(parts);
      await carry('put', name, failure, () => bucket.put(name, sent));
    },
    async get(name, range) {
      checkBlobName(name);
      return carry('get', name, failure, () => bucket.get(name).subarray(range?.start, range?.end));
    },
    async delete(names) {
      for (const name of names) checkBlobName(name);
      await carry('delete', names.map(shortName).join(', '), failure, () => bucket.delete(names));
    },
    async *list(prefix) {
      checkBlobPrefix(prefix);
      yield* await carry('list', prefix, failure, () => bucket.list(prefix));
    },
  };
}

function shortName(name: string): string {
  return name.split('/').slice(2).join('/').slice(0, -24);
}
