/**
 * What a count by windows costs in the operator runtime, besides time: prints one line of JSON. It runs in a process of its own, as
 * `measure.ts` does:
 *
 *     node --expose-gc --min-semi-space-size=128 --max-semi-space-size=128 test/unit/operators/costs/measure-windows.ts
 */
import { type CountingName, FULL_EPOCHS, openCounting, runEpoch, segmentAt } from '../../../../bench/micro/window-count.ts';

/** For each record, results and snapshots included. */
export interface WindowCosts {
  /** Calls of the author's functions. */
  readonly adds: number;
  readonly merges: number;
  /** Objects on the heap. */
  readonly heapBytes: number;
}

const OF_KEY_IN_MINUTE = 600;
const KEYS = 20;
/** Each is of two epochs. */
const MINUTES = 5;

const collect = globalThis.gc;
if (collect === undefined) throw new Error('run it with --expose-gc');

function costsOf(name: CountingName): WindowCosts {
  let [adds, merges, heapBytes, records] = [0, 0, 0, 0];
  const runtime = openCounting(name, {
    add(n) {
      adds++;
      return n + 1;
    },
    merge(one, other) {
      merges++;
      return one + other;
    },
  });
  for (let epoch = 0; epoch < FULL_EPOCHS + 2 * MINUTES; epoch++) {
    const segment = segmentAt(epoch, OF_KEY_IN_MINUTE, KEYS);
    if (epoch === FULL_EPOCHS) [adds, merges, heapBytes, records] = [0, 0, 0, 0];
    collect?.();
    const { heapUsed } = process.memoryUsage();
    records += runEpoch(runtime, epoch, segment).recordsIn;
    heapBytes += process.memoryUsage().heapUsed - heapUsed;
  }
  return { adds: adds / records, merges: merges / records, heapBytes: heapBytes / records };
}

console.log(JSON.stringify({ tumbling: costsOf('tumbling 1 min'), sliding: costsOf('sliding 1 h by 1 min, merge') }));
