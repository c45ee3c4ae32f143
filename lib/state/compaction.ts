export interface SnapshotSizes {
  /** 0 when there is no base yet. */
  readonly baseBytes: number;
  readonly deltaBytes: number;
  readonly deltas: number;
}

/** A restore reads every delta: this bounds how many blobs it asks for. */
const MAX_DELTAS = 20;
/** Below this rewriting a base saves nothing worth having. */
const SMALL_BYTES = 256 * 1024;

/** Should the next snapshot be a new base rather than one more delta? */
export function shouldCompact({ baseBytes, deltaBytes, deltas }: SnapshotSizes): boolean {
  return deltas >= MAX_DELTAS || deltaBytes > Math.max(baseBytes, SMALL_BYTES);
}
