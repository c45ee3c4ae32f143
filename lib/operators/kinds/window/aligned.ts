import type { WindowShape } from '../../../graph/windows.ts';

/** The shapes that begin and end at times which do not hang on the values. */
export type AlignedShape = Extract<WindowShape, { readonly offsetMs: number }>;

/**
 * Which windows a time lies in. Windows are told by their ends, which follow each other at `stepMs`; all times of a slice lie in the
 * same windows, and a slice too is told by its end.
 */
export interface Alignment {
  readonly stepMs: number;
  readonly sliceMs: number;
  /** The end of the slice that the time lies in. */
  sliceEnd(atMs: number): number;
  /** The first end behind the time: that of a window which it lies in. */
  firstEnd(atMs: number): number;
  /** The end of the last window that the time lies in. */
  finalEnd(atMs: number): number;
  startOf(endMs: number): number;
  /** Does a window end there? */
  isEnd(atMs: number): boolean;
}

export function alignmentOf(shape: AlignedShape): Alignment {
  const { offsetMs } = shape;
  const make = (stepMs: number, sliceMs: number, origin: number, finalEnd: Alignment['finalEnd'], startOf: Alignment['startOf']) => ({
    stepMs,
    sliceMs,
    sliceEnd: (atMs: number) => lastMultiple(atMs, sliceMs, offsetMs) + sliceMs,
    firstEnd: (atMs: number) => lastMultiple(atMs, stepMs, origin) + stepMs,
    finalEnd,
    startOf,
    isEnd: (atMs: number) => lastMultiple(atMs, stepMs, origin) === atMs,
  });
  switch (shape.kind) {
    case 'tumbling': {
      const { sizeMs } = shape;
      const end = (atMs: number) => lastMultiple(atMs, sizeMs, offsetMs) + sizeMs;
      return make(sizeMs, sizeMs, offsetMs, end, (endMs) => endMs - sizeMs);
    }
    case 'sliding': {
      const { sizeMs, slideMs } = shape;
      const final = (atMs: number) => lastMultiple(atMs, slideMs, offsetMs) + sizeMs;
      return make(slideMs, greatestDivisor(sizeMs, slideMs), offsetMs + sizeMs, final, (endMs) => endMs - sizeMs);
    }
    case 'cumulating': {
      const { maxSizeMs, stepMs } = shape;
      const start = (atMs: number) => lastMultiple(atMs, maxSizeMs, offsetMs);
      return make(
        stepMs,
        stepMs,
        offsetMs,
        (atMs) => start(atMs) + maxSizeMs,
        (endMs) => start(endMs - 1),
      );
    }
  }
}

/** The greatest that is not behind `ms`, of the multiples of `stepMs` from `origin` on. Also before 1970. */
export function lastMultiple(ms: number, stepMs: number, origin = 0): number {
  const behind = (ms - origin) % stepMs;
  return ms - (behind < 0 ? behind + stepMs : behind);
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}
