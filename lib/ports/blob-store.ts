/**
 * Immutable blobs, named `<job>/<incarnation>/<kind>/…`. Implemented on S3 (`lib/aws`) and on a
 * folder (`lib/storage`). Names hold only `[A-Za-z0-9._-]` and `/`.
 */
export interface BlobStore {
  /**
   * Creates the blob out of its parts, one behind the other; resolves once the store has acknowledged it as durable, and
   * until then the parts must stay as they are. A blob of that name with the same bytes is success (our own earlier try); one with other bytes throws `BlobConflictError`.
   */
  put(name: string, ...parts: readonly Uint8Array[]): Promise<void>;
  /**
   * The blob, or the bytes of `range` that it has. Throws `BlobMissingError` when there is no such blob: a missing blob is
   * never "empty".
   */
  get(name: string, range?: ByteRange): Promise<Buffer>;
  /** Deletes the blobs; names that do not exist are no error. */
  delete(names: readonly string[]): Promise<void>;
  /** Every blob whose name starts with `prefix`, in the order of names. */
  list(prefix: string): AsyncIterable<BlobEntry>;
}

/** Bytes `start` … `end` - 1, counted from 0; one at least. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface BlobEntry {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

export class BlobMissingError extends Error {
  override readonly name = 'BlobMissingError';
  readonly blob: string;
  constructor(blob: string, where: string) {
    super(
      `blob ${blob} is missing from ${where}: it was deleted by something other than the job, or the location is not the one that the job wrote to (ONCEFLOW_BLOBS)`,
    );
    this.blob = blob;
  }
}

export class BlobConflictError extends Error {
  override readonly name = 'BlobConflictError';
  constructor(blob: string, where: string) {
    super(`blob ${blob} exists in ${where} with other content: blob names are unique to one invocation, so something else writes there`);
  }
}
