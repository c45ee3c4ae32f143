import { copyOf } from '../../copy.ts';
import type { Alignment } from './aligned.ts';
import { isEarlyDue, newPane, type OpenWindows, type WindowsPlace } from './open-windows.ts';
import type { Pane } from './panes.ts';

/** Aligned windows, each with an accumulator of its own: a value goes into all that it lies in. Each has a timer at its end. */
export function openEachWindow(alignment: Alignment, { panes, contents, time, allowedLatenessMs, late }: WindowsPlace): OpenWindows {
  const { stepMs } = alignment;

  function give(endMs: number, isEarly: boolean): void {
    const pane = panes.copyOf(endMs);
    if (pane !== undefined)
      contents.give(pane, {
        startMs: alignment.startOf(endMs),
        endMs,
        isEarly,
        isUpdate: endMs - 1 <= time.beforeMs,
        timestamp: endMs - 1,
      });
  }

  return {
    take(value) {
      const { atMs, beforeMs } = time;
      const finalEnd = alignment.finalEnd(atMs);
      if (finalEnd - 1 + allowedLatenessMs <= beforeMs) return late(value);
      for (let end = alignment.firstEnd(atMs); end <= finalEnd; end += stepMs) {
        if (end - 1 + allowedLatenessMs <= beforeMs) continue;
        const known = panes.get(end);
        const pane = known ?? newPane();
        // Accumulators of several windows may keep it, and none sees what is done to it in another.
        contents.add(pane, end === finalEnd ? value : copyOf(value), atMs);
        pane.earlyAtMs ??= time.wakeEarly();
        if (known === undefined) panes.set(end, pane);
        if (known === undefined || end - 1 <= beforeMs) time.wakeBehind(end - 1);
      }
    },

    close(overMs) {
      give(overMs + 1, false);
      let oldest = panes.firstKey();
      while (oldest !== undefined && oldest - 1 + allowedLatenessMs <= overMs) {
        panes.delete(oldest);
        oldest = panes.firstKey();
      }
      if (allowedLatenessMs > 0 && oldest !== undefined) time.wakeBehind(oldest - 1 + allowedLatenessMs);
    },

    giveEarly(timeMs) {
      if (!isEarlyDue(panes, timeMs)) return;
      for (let end = panes.firstKey(); end !== undefined; end = panes.keyBehind(end)) {
        const pane = panes.copyOf(end) as Pane;
        if (pane.earlyAtMs === undefined) continue;
        if (end - 1 > time.overMs) give(end, true);
        pane.earlyAtMs = undefined;
        panes.set(end, pane);
      }
    },
  };
}
