import type { Alignment } from './aligned.ts';
import { isEarlyDue, newPane, type OpenWindows, type WindowsPlace } from './open-windows.ts';
import type { Pane } from './panes.ts';

/**
 * Aligned windows that share slices: a value goes into one, and those of a window are merged when it ends.
 *
 * Of a key that has slices there is always a timer at, or before, the first end of a window that has one of them and is not over; and
 * with lateness one for when the oldest slice is of no use any more. A new slice sets the first of these, and each end the next.
 */
export function openSlices(alignment: Alignment, { panes, contents, time, allowedLatenessMs, late }: WindowsPlace): OpenWindows {
  const { stepMs, sliceMs } = alignment;
  const finalEndOf = (slice: number) => alignment.finalEnd(slice - 1);

  function give(endMs: number, isEarly: boolean): void {
    const startMs = alignment.startOf(endMs);
    const whole = newPane();
    panes.eachCopyWithin(startMs, endMs, (pane) => contents.merge(whole, pane));
    if (whole.count > 0) contents.give(whole, { startMs, endMs, isEarly, isUpdate: endMs - 1 <= time.beforeMs, timestamp: endMs - 1 });
  }

  /** The first end behind `ms` of a window that has a slice. */
  function nextEnd(ms: number): number | undefined {
    const end = alignment.firstEnd(ms);
    const slice = panes.keyBehind(alignment.startOf(end));
    if (slice === undefined || slice <= end) return slice === undefined ? undefined : end;
    return alignment.firstEnd(slice - 1);
  }

  return {
    take(value) {
      const { atMs, beforeMs } = time;
      const finalEnd = alignment.finalEnd(atMs);
      if (finalEnd - 1 + allowedLatenessMs <= beforeMs) return late(value);
      const slice = alignment.sliceEnd(atMs);
      const known = panes.get(slice);
      const pane = known ?? newPane();
      contents.add(pane, value, atMs);
      pane.earlyAtMs ??= time.wakeEarly();
      if (known === undefined) panes.set(slice, pane);
      let end = alignment.firstEnd(atMs);
      if (known !== undefined && end - 1 > beforeMs) return;
      for (; end <= finalEnd; end += stepMs) {
        if (end - 1 + allowedLatenessMs <= beforeMs) continue;
        time.wakeBehind(end - 1);
        if (end - 1 > beforeMs) break;
      }
    },

    close(overMs) {
      if (alignment.isEnd(overMs + 1)) give(overMs + 1, false);
      let oldest = panes.firstKey();
      while (oldest !== undefined && finalEndOf(oldest) - 1 + allowedLatenessMs <= overMs) {
        panes.delete(oldest);
        contents.drop(oldest - sliceMs, oldest - 1);
        oldest = panes.firstKey();
      }
      if (oldest === undefined) return;
      const next = nextEnd(Math.max(overMs, time.beforeMs) + 1);
      if (next !== undefined) time.wakeBehind(next - 1);
      if (allowedLatenessMs > 0) time.wakeBehind(finalEndOf(oldest) - 1 + allowedLatenessMs);
    },

    giveEarly(timeMs) {
      if (!isEarlyDue(panes, timeMs)) return;
      let given = time.overMs + 1;
      for (let slice = panes.firstKey(); slice !== undefined; slice = panes.keyBehind(slice)) {
        const pane = panes.copyOf(slice) as Pane;
        if (pane.earlyAtMs === undefined) continue;
        const finalEnd = finalEndOf(slice);
        let end = Math.max(alignment.firstEnd(slice - 1), given === Number.NEGATIVE_INFINITY ? given : alignment.firstEnd(given));
        for (; end <= finalEnd; end += stepMs) {
          give(end, true);
          given = end;
        }
        pane.earlyAtMs = undefined;
        panes.set(slice, pane);
      }
    },
  };
}
