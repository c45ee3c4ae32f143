import { describe, expect, it } from 'vitest';
import {
  type EpochSize,
  type EpochWork,
  firstEpochSize,
  ranOutOfTime,
  sizeAfter,
  sizeAfterTimeout,
} from '../../../lib/epoch/planning/epoch-size.ts';

const MiB = 1024 * 1024;
const ALL = Number.POSITIVE_INFINITY;

/** Of the next epoch, after one that left a backlog. */
function next(work: Partial<EpochWork>, size: EpochSize = { bytes: 4 * MiB, offsets: ALL }, checkpointIntervalMs = 1_000): EpochSize {
  const full = { bytesIn: 4 * MiB, offsets: 1_000, slowestStageMs: 1_000, budget: 4 * MiB, backlogLeft: true };
  return sizeAfter(size, { ...full, ...work }, { checkpointIntervalMs, epochTimeoutMs: 10_000, maxEpochBytes: 64 * MiB });
}

describe('the size of an epoch in bytes', () => {
  it('starts at 4 MiB, or at ONCEFLOW_MAX_EPOCH_BYTES when that is lower', () => {
    expect(firstEpochSize(64 * MiB)).toEqual({ bytes: 4 * MiB, offsets: ALL });
    expect(firstEpochSize(MiB)).toEqual({ bytes: MiB, offsets: ALL });
  });

  it('is what the slowest stage works through in four fifths of ONCEFLOW_CHECKPOINT_INTERVAL_MS', () => {
    expect(next({ bytesIn: 10 * MiB, budget: 10 * MiB })).toEqual({ bytes: 8 * MiB, offsets: ALL });
  });

  it('at most doubles from one epoch to the next', () => {
    expect(next({ slowestStageMs: 10 }).bytes).toBe(8 * MiB);
  });

  it('stays within its bounds, of which ONCEFLOW_MAX_EPOCH_BYTES is the upper one', () => {
    expect(next({ bytesIn: 60 * MiB, slowestStageMs: 10, budget: 60 * MiB }).bytes).toBe(64 * MiB);
    expect(next({ bytesIn: MiB, slowestStageMs: 60_000, budget: MiB }, undefined, 50).bytes).toBe(256 * 1024);
  });

  it('is not changed by an epoch that took all there was', () => {
    expect(next({ backlogLeft: false, bytesIn: 7 }, { bytes: 6 * MiB, offsets: ALL }).bytes).toBe(6 * MiB);
  });
});

describe('an attempt that ran out of time', () => {
  it('is followed by one with a quarter of its bytes and of its offsets', () => {
    expect(sizeAfterTimeout({ bytes: 8 * MiB, offsets: ALL }, { budget: 4 * MiB, offsets: 1_000 })).toEqual({ bytes: MiB, offsets: 250 });
  });

  it('and by ever smaller ones, down to one offset, when those run out of time too', () => {
    let size: EpochSize = { bytes: 4 * MiB, offsets: ALL };
    const sizes = Array.from({ length: 12 }, () => {
      size = sizeAfterTimeout(size, { budget: size.bytes, offsets: Math.min(size.offsets, 1_000_000) });
      return size.offsets;
    });
    expect(sizes.slice(0, 3)).toEqual([250_000, 62_500, 15_625]);
    expect(sizes.at(-1)).toBe(1);
    expect(size.bytes).toBe(1);
  });

  it('counts by the attempts before it also when it is of an older, larger plan', () => {
    expect(sizeAfterTimeout({ bytes: 100, offsets: 8 }, { budget: 4 * MiB, offsets: 1_000 })).toEqual({ bytes: 25, offsets: 2 });
  });

  it('is one whose stage was at work for nearly all of ONCEFLOW_EPOCH_TIMEOUT_MS', () => {
    expect([0, 26_999, 27_000, 31_000].map((ms) => ranOutOfTime(ms, 30_000))).toEqual([false, false, true, true]);
  });
});

describe('the size in offsets, after a timeout', () => {
  const small = { bytes: MiB, offsets: 100 };

  it('is what the slowest stage works through in half of ONCEFLOW_EPOCH_TIMEOUT_MS, and at most doubles', () => {
    expect(next({ offsets: 100, slowestStageMs: 4_000 }, small).offsets).toBe(125);
    expect(next({ offsets: 100, slowestStageMs: 1 }, small).offsets).toBe(200);
  });

  it('or in most of a checkpoint interval that is longer than that', () => {
    expect(next({ offsets: 100, slowestStageMs: 5_000 }, small, 10_000).offsets).toBe(160);
  });

  it('is not less than what has just gone well', () => {
    expect(next({ offsets: 100, slowestStageMs: 8_000 }, small).offsets).toBe(100);
  });

  it('grows from one offset, also where an epoch takes long whatever it holds', () => {
    let offsets = 1;
    for (let epoch = 0; epoch < 40; epoch++)
      offsets = next({ offsets, slowestStageMs: 3_900 + offsets / 10 }, { bytes: 1, offsets }).offsets;
    expect(offsets).toBeGreaterThan(9_000);
    expect(3_900 + offsets / 10).toBeLessThan(9_000);
  });

  it('has no bound any more when the backlog is done', () => {
    expect(next({ offsets: 60, backlogLeft: false }, small).offsets).toBe(ALL);
  });
});
