import type { SpilledRows } from '../../../lib/ports/spilled-rows.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';

/** What a call that fails has done before: nothing, as on a disk that is full, or all that it was asked for, as on one that breaks. */
export type DiskFault = 'full' | 'broken';

/** State on a disk that fails now and then. */
export function onFailingDisk(rows: SpilledRows, faultNow: () => DiskFault | undefined): SpilledRows {
  const failing = <T>(work: () => T): T => {
    const fault = faultNow();
    if (fault === undefined) return work();
    if (fault === 'broken') work();
    throw new StoreProblem(`the disk is ${fault}`, false);
  };
  return {
    get size() {
      return rows.size;
    },
    put: (keyGroup, key, held, due) => failing(() => rows.put(keyGroup, key, held, due)),
    take: (keyGroup, key) => failing(() => rows.take(keyGroup, key)),
    list: (keyGroup, limit, behind) => failing(() => rows.list(keyGroup, limit, behind)),
    due: () => failing(() => rows.due()),
    dueBy: (eventMs, processingMs, limit) => failing(() => rows.dueBy(eventMs, processingMs, limit)),
    putPage: (keyGroup, page, entries) => failing(() => rows.putPage(keyGroup, page, entries)),
    page: (keyGroup, page) => failing(() => rows.page(keyGroup, page)),
    clearGroup: (keyGroup) => failing(() => rows.clearGroup(keyGroup)),
    clear: () => rows.clear(),
    close: () => rows.close(),
  };
}
