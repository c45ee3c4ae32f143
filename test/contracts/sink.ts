import { expect, it } from 'vitest';
import type { BenchOptions } from '../../lib/testing/drill/sink-bench.ts';
import { drillsOn } from '../../lib/testing/drill/sink-drills.ts';

/** What every connector must come through, crashed at each boundary. `open` is called for each test; what it writes to is used by them alone. */
export function sinkContract(of: 'prepared' | 'delivered', open: () => Promise<BenchOptions>): void {
  const drills = drillsOn(open, of);
  expect(drills.length).toBeGreaterThan(0);
  for (const { name, run } of drills) it(name, run);
}
