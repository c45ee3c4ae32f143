import type { OrderedMap } from '../../../state/columns/map.ts';
import type { WindowContents } from './contents.ts';
import type { Pane } from './panes.ts';
import type { WindowTime } from './window-time.ts';

/** The windows of a kind, of the current key. */
export interface OpenWindows {
  /** Takes the value of the record that is worked on. */
  take(value: unknown): void;
  /** All times up to this one are over, and those before were looked at: gives what is due, and forgets what nobody needs any more. */
  close(overMs: number): void;
  /** Gives what is there so far of windows that are not over: of all that have changed, when it is due of any. */
  giveEarly(timeMs: number): void;
}

export interface WindowsPlace {
  readonly panes: OrderedMap<number, Pane>;
  readonly contents: WindowContents;
  readonly time: WindowTime;
  readonly allowedLatenessMs: number;
  /** Takes a value that is late for every window. */
  readonly late: (value: unknown) => void;
}

export function newPane(atMs = 0): Pane {
  return { count: 0, earlyAtMs: undefined, wasGiven: false, firstMs: atMs, lastMs: atMs, accumulator: undefined };
}

export function isEarlyDue(panes: OrderedMap<number, Pane>, timeMs: number): boolean {
  for (let key = panes.firstKey(); key !== undefined; key = panes.keyBehind(key))
    if (((panes.copyOf(key) as Pane).earlyAtMs ?? Number.POSITIVE_INFINITY) <= timeMs) return true;
  return false;
}
