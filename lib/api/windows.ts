import type { Serde } from '../format/serde.ts';
import { JobDefinitionError, type WindowNode } from '../graph/job.ts';
import type { WindowContext, WindowShape } from '../graph/windows.ts';
import type { TimeDomain } from '../state/columns/timers.ts';
import { expectKnown, expectNoneMisspelt } from './known-options.ts';
import { shownValue } from './whole-number.ts';

declare const windows: unique symbol;

/** Windows of time. Made by `tumblingWindows`, `slidingWindows`, `cumulatingWindows` and `sessionWindows`. */
export interface TimeWindows {
  /** For the compiler alone. */
  readonly [windows]?: 'time';
}

/** Windows of so many values. Made by `countWindows`. */
export interface CountWindows {
  /** For the compiler alone. */
  readonly [windows]?: 'count';
}

interface Aligned {
  /** Windows begin at multiples of their step since the Unix epoch (UTC), and this, which is smaller than a step. Negative ones begin earlier. @default 0 */
  readonly offsetMs?: number;
}

/**
 * Windows that follow each other: a value is in one.
 *
 * @example
 * bids.keyBy(({ auction }) => auction, int64).window(tumblingWindows({ sizeMs: 60_000 })); // each full minute
 */
export function tumblingWindows(sizes: Aligned & { readonly sizeMs: number }): TimeWindows {
  expectNoneMisspelt(sizes, { sizeMs: true, offsetMs: true }, 'tumblingWindows');
  const { sizeMs, offsetMs = 0 } = sizes;
  return checked({ kind: 'tumbling', sizeMs, offsetMs });
}

/**
 * Windows of `sizeMs` that begin every `slideMs`: a value is in all of those that lie over its time. `slideMs` is at most `sizeMs`.
 *
 * @example
 * slidingWindows({ sizeMs: 3_600_000, slideMs: 60_000 }); // every minute the last hour
 */
export function slidingWindows(sizes: Aligned & { readonly sizeMs: number; readonly slideMs: number }): TimeWindows {
  expectNoneMisspelt(sizes, { sizeMs: true, slideMs: true, offsetMs: true }, 'slidingWindows');
  const { sizeMs, slideMs, offsetMs = 0 } = sizes;
  return checked({ kind: 'sliding', sizeMs, slideMs, offsetMs });
}

/**
 * Windows that begin together and grow by `stepMs` up to `maxSizeMs`, a multiple of it; then the next begin.
 *
 * @example
 * cumulatingWindows({ maxSizeMs: 86_400_000, stepMs: 3_600_000 }); // every hour the day so far
 */
export function cumulatingWindows(sizes: Aligned & { readonly maxSizeMs: number; readonly stepMs: number }): TimeWindows {
  expectNoneMisspelt(sizes, { maxSizeMs: true, stepMs: true, offsetMs: true }, 'cumulatingWindows');
  const { maxSizeMs, stepMs, offsetMs = 0 } = sizes;
  return checked({ kind: 'cumulating', maxSizeMs, stepMs, offsetMs });
}

/**
 * Sessions of a key: a value belongs to the one that it is at most `gapMs` away from, and two that it brings so near to each other become
 * one. It ends `gapMs` behind its latest value.
 *
 * @example
 * sessionWindows({ gapMs: 600_000 }); // until nothing has come for ten minutes
 */
export function sessionWindows(input: { readonly gapMs: number }): TimeWindows {
  expectNoneMisspelt(input, { gapMs: true }, 'sessionWindows');
  return checked({ kind: 'session', gapMs: input.gapMs });
}

/**
 * Windows of `size` values of a key, in order of arrival. The result comes at once with the last of them.
 *
 * @example
 * bids.keyBy(({ auction }) => auction, int64).window(countWindows({ size: 100 }));
 */
export function countWindows(input: { readonly size: number }): CountWindows {
  expectNoneMisspelt(input, { size: true }, 'countWindows');
  return checked({ kind: 'count', size: input.size });
}

/** For how long windows take values, and when they give results. */
export interface WindowOptions {
  /**
   * So long behind its end a window still takes values. Its result then comes once more, in place of the first, at the end of each
   * epoch that brings some. A value for which all windows are over is late.
   * @default 0
   */
  readonly allowedLatenessMs?: number;
  /**
   * Every so often, by processing time, there is a result of each window that has changed and is not over: `isEarly`.
   * @default none before its end
   */
  readonly earlyEveryMs?: number;
  /** Windows are of the processing time of epochs, not of event time; nothing is late. @default event time */
  readonly time?: 'processing-time';
}

/** What a window gives for which nothing else was said. */
export interface WindowResult<K, A> {
  /** Whose window it was. */
  readonly key: K;
  /** As that of `WindowContext`. */
  readonly startMs: number;
  /** As that of `WindowContext`. */
  readonly endMs: number;
  /** What was made of its values. */
  readonly value: A;
}

/** How the values of a window become a result of type `R`, by an accumulator of type `A`. */
export interface WindowAggregate<K, T, A, R> {
  /** Of the accumulator. */
  readonly accumulator: Serde<A>;
  /** What the first value is added to: an accumulator, of which each window gets a copy of its own (by the serde) if it is an object, or a function that makes one. */
  readonly initial: NoInfer<A> | (() => NoInfer<A>);
  /** May change the accumulator in place, and has to return it. */
  readonly add: (accumulator: NoInfer<A>, value: T) => NoInfer<A>;
  /**
   * Makes one accumulator of two, as if the values of both had been added to one; it may change the first in place. `other` is the later
   * one. With it sliding and cumulating windows keep a value once instead of once for each window. Sessions need it.
   */
  readonly merge?: (accumulator: NoInfer<A>, other: NoInfer<A>) => NoInfer<A>;
  /** What the window gives. @default `{ key, startMs, endMs, value }`, of which the value is the accumulator */
  readonly result?: (accumulator: NoInfer<A>, context: WindowContext<K>) => R;
}

/** What the author's windows are. Only what was checked is here. */
const shapes = new WeakMap<object, WindowShape>();

/** Undefined: these are no windows. */
export function shapeOf(windows: TimeWindows | CountWindows): WindowShape | undefined {
  return shapes.get(windows);
}

function checked(shape: WindowShape): object {
  const name = `${shape.kind}Windows`;
  const { kind: _, ...numbers } = shape;
  for (const [what, value] of Object.entries(numbers)) {
    const [least, unit] =
      what === 'offsetMs'
        ? [Number.MIN_SAFE_INTEGER, 'whole milliseconds']
        : [1, what === 'size' ? 'a whole number' : 'whole milliseconds'];
    if (!Number.isSafeInteger(value) || value < least)
      throw new JobDefinitionError(
        `${name}: ${what} is ${shownValue(value)}, and must be ${unit}${what === 'offsetMs' ? '' : ', 1 or more'}`,
      );
  }
  if (shape.kind === 'sliding' && shape.slideMs > shape.sizeMs)
    throw new JobDefinitionError(
      `${name}: slideMs is ${shape.slideMs} and sizeMs ${shape.sizeMs}: what lies between the windows would be in none. Let them touch (tumblingWindows), or filter`,
    );
  if (shape.kind === 'cumulating' && shape.maxSizeMs % shape.stepMs !== 0)
    throw new JobDefinitionError(`${name}: maxSizeMs is ${shape.maxSizeMs}, and must be a multiple of stepMs, ${shape.stepMs}`);
  if ('offsetMs' in shape) {
    const [step, stepMs] = stepOf(shape);
    if (Math.abs(shape.offsetMs) >= stepMs)
      throw new JobDefinitionError(`${name}: offsetMs is ${shape.offsetMs}, and must be less than ${step}, ${stepMs}, either way`);
  }
  const made = {};
  shapes.set(made, shape);
  return made;
}

/** What windows that have an offset begin at multiples of. */
function stepOf(shape: Extract<WindowShape, { readonly offsetMs: number }>): readonly [string, number] {
  switch (shape.kind) {
    case 'tumbling':
      return ['sizeMs', shape.sizeMs];
    case 'sliding':
      return ['slideMs', shape.slideMs];
    case 'cumulating':
      return ['maxSizeMs', shape.maxSizeMs];
  }
}

/** @param where begins the messages. @throws JobDefinitionError */
export function checkedOptions(
  shape: WindowShape,
  options: WindowOptions,
  where: string,
): Pick<WindowNode, 'allowedLatenessMs' | 'earlyEveryMs' | 'time'> {
  const { allowedLatenessMs = 0, earlyEveryMs, time } = options;
  const refuse = (why: string): never => {
    throw new JobDefinitionError(`${where}: ${why}`);
  };
  expectKnown<WindowOptions>(options, { allowedLatenessMs: true, earlyEveryMs: true, time: true }, `${where}: window`);
  if (shape.kind === 'count') {
    if (allowedLatenessMs !== 0 || earlyEveryMs !== undefined || time !== undefined)
      refuse('countWindows have nothing to do with time: leave the options of window out');
    return { allowedLatenessMs, earlyEveryMs, time: undefined };
  }
  if (time !== undefined && time !== 'processing-time')
    refuse(`time of window is ${JSON.stringify(time)}, and may only be 'processing-time'`);
  if (!Number.isSafeInteger(allowedLatenessMs) || allowedLatenessMs < 0)
    refuse(`allowedLatenessMs of window is ${shownValue(allowedLatenessMs)}, and must be whole milliseconds, 0 or more`);
  if (earlyEveryMs !== undefined && !(Number.isSafeInteger(earlyEveryMs) && earlyEveryMs > 0))
    refuse(`earlyEveryMs of window is ${shownValue(earlyEveryMs)}, and must be whole milliseconds, 1 or more`);
  if (time === 'processing-time' && allowedLatenessMs > 0)
    refuse('nothing is late in processing time: leave allowedLatenessMs of window out');
  const domain: TimeDomain = time === undefined ? 'event' : 'processing';
  return { allowedLatenessMs, earlyEveryMs, time: domain };
}
