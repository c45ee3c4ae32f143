const FIRST_EPOCH_BYTES = 4 * 1024 * 1024;
/** A stage should take this share of the interval, so that what varies still fits into it. */
const TARGET_SHARE = 0.8;
/** One epoch's growth, so that a guess from a small or lucky epoch cannot overshoot far. */
const LARGEST_GROWTH = 2;
const LEAST_EPOCH_BYTES = 256 * 1024;
/** An attempt that ran out of time is followed by one of this part of its input. */
const AFTER_TIMEOUT = 1 / 4;
/**
 * An epoch that is held down in offsets grows until it takes this share of the epoch timeout. Not less: part of its time has nothing to do
 * with how many offsets it has (state is loaded, functions start), and that part alone must not keep it small for ever.
 */
const TIMEOUT_SHARE = 1 / 2;
/** An attempt ran out of time when its stage had been at work for this share of the epoch timeout: its answer never comes later. */
const OUT_OF_TIME = 0.9;

/** The most input that the next epoch takes. */
export interface EpochSize {
  readonly bytes: number;
  /**
   * Offsets of all partitions together; Infinity: as many as there are. Bytes alone do not hold an epoch down: they are counted
   * as they are compressed, and by whole batches, and a function may take milliseconds for each record of one.
   */
  readonly offsets: number;
}

/** What an epoch had read, and how it went. */
export interface EpochWork {
  readonly bytesIn: number;
  readonly offsets: number;
  readonly slowestStageMs: number;
  /** The bound on its bytes. */
  readonly budget: number;
  /** Was there more to read than it took? */
  readonly backlogLeft: boolean;
}

/** Before anything is known: 4 MiB. */
export function firstEpochSize(maxBytes: number): EpochSize {
  return { bytes: Math.min(FIRST_EPOCH_BYTES, maxBytes), offsets: Number.POSITIVE_INFINITY };
}

/** What an epoch may take. */
export interface SizeLimits {
  readonly checkpointIntervalMs: number;
  readonly epochTimeoutMs: number;
  readonly maxEpochBytes: number;
}

/**
 * After a committed epoch: while there is a backlog, as many bytes as the slowest stage can work through in most of the checkpoint
 * interval. An epoch that took all there was says nothing of bytes, and that no bound on offsets is needed. The bound on offsets is never
 * less than what has just gone well: only an attempt that ran out of time makes it smaller.
 */
export function sizeAfter(size: EpochSize, work: EpochWork, limits: SizeLimits): EpochSize {
  if (!work.backlogLeft) return { ...size, offsets: Number.POSITIVE_INFINITY };
  const slowestMs = Math.max(work.slowestStageMs, 1);
  const targetMs = limits.checkpointIntervalMs * TARGET_SHARE;
  const bytes = Math.min((work.bytesIn * targetMs) / slowestMs, work.budget * LARGEST_GROWTH);
  const mayTakeMs = Math.max(targetMs, limits.epochTimeoutMs * TIMEOUT_SHARE);
  const growth = Math.min(Math.max(mayTakeMs / slowestMs, 1), LARGEST_GROWTH);
  return {
    bytes: Math.round(Math.min(Math.max(bytes, LEAST_EPOCH_BYTES), limits.maxEpochBytes)),
    offsets: size.offsets === Number.POSITIVE_INFINITY ? size.offsets : Math.max(Math.ceil(work.offsets * growth), 1),
  };
}

/** After an attempt that ran out of time, with so many offsets: less of both, so that no backlog is too big to get through. */
export function sizeAfterTimeout(size: EpochSize, attempt: { readonly budget: number; readonly offsets: number }): EpochSize {
  return {
    bytes: Math.max(Math.round(Math.min(size.bytes, attempt.budget) * AFTER_TIMEOUT), 1),
    offsets: Math.max(Math.floor(Math.min(size.offsets, attempt.offsets) * AFTER_TIMEOUT), 1),
  };
}

/** Did a stage that failed after `ms` fail because there was too much to do? A broker that hung for so long looks the same. */
export function ranOutOfTime(ms: number, epochTimeoutMs: number): boolean {
  return ms >= epochTimeoutMs * OUT_OF_TIME;
}
