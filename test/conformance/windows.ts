import fc from 'fast-check';
import { sessionWindows, slidingWindows, type TimeWindows, tumblingWindows } from '../../lib/api/index.ts';
import type { WindowShape } from '../../lib/graph/windows.ts';

export const tumbling = fc
  .record({ sizeMs: fc.integer({ min: 1, max: 12 }), offset: fc.integer({ min: -11, max: 11 }) })
  .map(({ sizeMs, offset }) => ({ kind: 'tumbling', sizeMs, offsetMs: offset % sizeMs }) as const);
export const sliding = fc
  .record({ slideMs: fc.integer({ min: 1, max: 6 }), more: fc.integer({ min: 0, max: 10 }), offset: fc.integer({ min: -5, max: 5 }) })
  .map(({ slideMs, more, offset }) => ({ kind: 'sliding', sizeMs: slideMs + more, slideMs, offsetMs: offset % slideMs }) as const);
export const session = fc.record({ gapMs: fc.integer({ min: 1, max: 8 }) }).map(({ gapMs }) => ({ kind: 'session', gapMs }) as const);

/** The same in the engine's own words. */
export function timeWindows(shape: Exclude<WindowShape, { readonly kind: 'cumulating' | 'count' }>): TimeWindows {
  switch (shape.kind) {
    case 'tumbling':
      return tumblingWindows(shape);
    case 'sliding':
      return slidingWindows(shape);
    case 'session':
      return sessionWindows(shape);
  }
}
