import { isEarlyDue, newPane, type OpenWindows, type WindowsPlace } from './open-windows.ts';
import type { Pane } from './panes.ts';

/**
 * Sessions: values that lie within the gap of each other. No two of a key's touch, so they lie in the order of any time within them, and
 * each is kept under that of the value which began it, whatever comes later.
 *
 * Of a session that is not over there is always a timer at the end that it has, or at one that it had before.
 */
export function openSessions(gapMs: number, { panes, contents, time, allowedLatenessMs, late }: WindowsPlace): OpenWindows {
  /** The last millisecond at which a value could still come that belongs to it. */
  const lastOf = ({ lastMs }: Pane) => lastMs + gapMs;

  function give(pane: Pane, isEarly: boolean): void {
    const endMs = lastOf(pane);
    // It is over at `endMs` and no sooner: a result of an earlier time would be late for what is behind.
    contents.give(pane, { startMs: pane.firstMs, endMs, isEarly, isUpdate: pane.wasGiven || endMs <= time.beforeMs, timestamp: endMs });
  }

  /** Takes the session `key` into the one that is earlier. */
  function join(pane: Pane, key: number, other: Pane): void {
    contents.merge(pane, other);
    pane.lastMs = other.lastMs;
    pane.wasGiven ||= other.wasGiven;
    pane.earlyAtMs = pane.earlyAtMs === undefined ? other.earlyAtMs : Math.min(pane.earlyAtMs, other.earlyAtMs ?? pane.earlyAtMs);
    panes.delete(key);
  }

  return {
    take(value) {
      const { atMs, beforeMs } = time;
      const before = panes.keyUpTo(atMs);
      const earlier = before === undefined ? undefined : (panes.get(before) as Pane);
      const one = earlier !== undefined && atMs - earlier.lastMs <= gapMs ? earlier : undefined;
      const isWithin = one !== undefined && atMs <= one.lastMs;
      const behind = isWithin ? undefined : panes.keyBehind(atMs);
      const later = behind === undefined ? undefined : (panes.get(behind) as Pane);
      const other = later !== undefined && later.firstMs - atMs <= gapMs ? later : undefined;
      const known = one ?? other;
      if (known === undefined && atMs + gapMs + allowedLatenessMs <= beforeMs) return late(value);
      const pane = known ?? newPane(atMs);
      // One that is over, or new, has no timer at its end.
      const wakes = known === undefined || lastOf(pane) <= beforeMs || (other !== undefined && lastOf(other) <= beforeMs);
      if (one !== undefined && other !== undefined) join(one, behind as number, other);
      contents.add(pane, value, atMs);
      pane.firstMs = Math.min(pane.firstMs, atMs);
      pane.lastMs = Math.max(pane.lastMs, atMs);
      pane.earlyAtMs ??= time.wakeEarly();
      if (known === undefined) panes.set(atMs, pane);
      if (wakes) time.wakeBehind(lastOf(pane));
    },

    close(overMs) {
      let nextMs = Number.POSITIVE_INFINITY;
      for (let key = panes.firstKey(); key !== undefined; key = panes.keyBehind(key)) {
        const pane = panes.copyOf(key) as Pane;
        const lastMs = lastOf(pane);
        if (lastMs === overMs) give(pane, false);
        if (lastMs + allowedLatenessMs <= overMs) {
          panes.delete(key);
          contents.drop(pane.firstMs, pane.lastMs);
          continue;
        }
        if (lastMs === overMs && !pane.wasGiven) {
          pane.wasGiven = true;
          panes.set(key, pane);
        }
        nextMs = Math.min(nextMs, lastMs > Math.max(overMs, time.beforeMs) ? lastMs : lastMs + allowedLatenessMs);
      }
      if (nextMs < Number.POSITIVE_INFINITY) time.wakeBehind(nextMs);
    },

    giveEarly(timeMs) {
      if (!isEarlyDue(panes, timeMs)) return;
      for (let key = panes.firstKey(); key !== undefined; key = panes.keyBehind(key)) {
        const pane = panes.copyOf(key) as Pane;
        if (pane.earlyAtMs === undefined) continue;
        if (lastOf(pane) > time.overMs) give(pane, true);
        pane.earlyAtMs = undefined;
        panes.set(key, pane);
      }
    },
  };
}
