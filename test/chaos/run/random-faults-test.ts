import { expect, it } from 'vitest';
import type { Size } from './brokers.ts';
import { runChaos } from './run-chaos.ts';
import type { Workload } from './workload.ts';

/** `CHAOS_SEED=7 npm test -- test/chaos/all-sinks`: the same faults again. For longer runs there is `npm run chaos`. */
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** For the start, catching up, and the check. */
const REST_MS = 400_000;

export function randomFaultsTest(
  what: string,
  options: { readonly brokers: Size; readonly workload?: Workload; readonly seconds: number; readonly minFaults: number },
): void {
  it(
    `faults of ${what} for ${options.seconds} s (CHAOS_SEED=${SEED}) lose nothing and repeat nothing`,
    async () => {
      const told: string[] = [];
      try {
        const { faults, wrong } = await runChaos({ ...options, seed: SEED, report: (line) => told.push(line) });
        expect(wrong).toEqual([]);
        expect(faults.length).toBeGreaterThanOrEqual(options.minFaults);
      } finally {
        console.log(told.join('\n'));
      }
    },
    1000 * options.seconds + REST_MS,
  );
}
