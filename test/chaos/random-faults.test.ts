import { expect, it } from 'vitest';
import { EXACT } from '../support/word-counts.ts';
import { runChaos } from './run/run-chaos.ts';

/** `CHAOS_SEED=7 npm test -- test/chaos/random-faults`: the same faults again. For longer runs there is `npm run chaos`. */
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = 60;
const MIN_FAULTS = 10;
/** For the start, catching up, and the check. */
const REST_MS = 400_000;

it(
  `faults of every process, the broker, the store and the transactions for ${SECONDS} s (CHAOS_SEED=${SEED}) lose nothing and repeat nothing`,
  async () => {
    const told: string[] = [];
    try {
      const { differences, unfinished } = await runChaos({
        brokers: 1,
        seed: SEED,
        seconds: SECONDS,
        minFaults: MIN_FAULTS,
        report: (line) => told.push(line),
      });
      expect({ differences, unfinished }).toEqual({ differences: EXACT, unfinished: [] });
    } finally {
      console.log(told.join('\n'));
    }
  },
  1000 * SECONDS + REST_MS,
);
