import type { Serde } from '../../../format/serde.ts';
import type { WindowFold, WindowProcess, WindowShape } from '../../../graph/windows.ts';
import type { StateDeclaration } from '../../../state/columns/columns.ts';
import type { TimeDomain } from '../../../state/columns/timers.ts';
import { paneSerde, timeSerde, valuePlaceSerde } from './panes.ts';

/** Names of an operator's states. No author's state can have one of them. */
export const WINDOWS = '@windows';
export const VALUES = '@values';
const TIMERS: StateDeclaration = { kind: 'timers', name: '@timers', serdes: [] };

/** Is a value kept once for all windows that it is in? Else each has its own accumulator. */
export function sharesSlices({ kind }: WindowShape, make: WindowFold | WindowProcess): boolean {
  if (make.kind === 'process') return kind !== 'session' && kind !== 'count';
  return (kind === 'sliding' || kind === 'cumulating') && make.merge !== undefined;
}

export interface WindowLayout {
  readonly shape: WindowShape;
  readonly time: TimeDomain | undefined;
  /** Undefined: values are kept one by one, by `value`. */
  readonly accumulator?: Serde<unknown>;
  readonly value?: Serde<unknown>;
  /** Do windows share slices? */
  readonly inSlices: boolean;
}

/**
 * The states of a window operator. What they hold is of these windows and of no others: so what the windows are is part of a serde's
 * name, and the job of another build that cuts otherwise is refused as one with another serde is.
 */
export function windowStates({ shape, time, accumulator, value, inSlices }: WindowLayout): readonly StateDeclaration[] {
  const hasTimes = shape.kind === 'session' || shape.kind === 'count';
  const name = `${describeShape(shape)}${time === 'processing' ? ' of processing time' : ''}${inSlices ? ', in slices' : ''}`;
  const states: StateDeclaration[] = [
    { kind: 'map', name: WINDOWS, serdes: [timeSerde(name) as Serde<unknown>, paneSerde(accumulator, hasTimes) as Serde<unknown>] },
  ];
  if (value !== undefined) states.push({ kind: 'map', name: VALUES, serdes: [valuePlaceSerde as Serde<unknown>, value] });
  if (time !== undefined) states.push(TIMERS);
  return states;
}

function describeShape(shape: WindowShape): string {
  const behind = (offsetMs: number) => (offsetMs === 0 ? '' : `, offset ${offsetMs} ms`);
  switch (shape.kind) {
    case 'tumbling':
      return `tumbling windows of ${shape.sizeMs} ms${behind(shape.offsetMs)}`;
    case 'sliding':
      return `sliding windows of ${shape.sizeMs} ms every ${shape.slideMs} ms${behind(shape.offsetMs)}`;
    case 'cumulating':
      return `cumulating windows of up to ${shape.maxSizeMs} ms by ${shape.stepMs} ms${behind(shape.offsetMs)}`;
    case 'session':
      return `sessions with a gap of ${shape.gapMs} ms`;
    case 'count':
      return `windows of ${shape.size} values`;
  }
}
