import type { CurrentRecord } from '../../../records/current-record.ts';
import type { OrderedMap } from '../../../state/columns/map.ts';
import type { WindowContents } from './contents.ts';
import { newPane } from './open-windows.ts';
import type { Pane } from './panes.ts';

/** A key has one at a time. */
const ONLY = 0;

/** Windows of so many values of a key, in the order in which they come. */
export function openCounts(size: number, panes: OrderedMap<number, Pane>, contents: WindowContents, current: CurrentRecord) {
  return (value: unknown): void => {
    const atMs = current.timestamp;
    const known = panes.get(ONLY);
    const pane = known ?? newPane(atMs);
    contents.add(pane, value, atMs);
    pane.firstMs = Math.min(pane.firstMs, atMs);
    pane.lastMs = Math.max(pane.lastMs, atMs);
    if (pane.count < size) {
      if (known === undefined) panes.set(ONLY, pane);
      return;
    }
    contents.give(pane, { startMs: pane.firstMs, endMs: pane.lastMs + 1, isEarly: false, isUpdate: false, timestamp: atMs });
    contents.drop(pane.firstMs, pane.lastMs);
    panes.delete(ONLY);
  };
}
