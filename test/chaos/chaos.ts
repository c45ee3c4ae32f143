/**
 * `npm run chaos [-- --brokers 3] [--seconds S] [--faults N] [--seed X] [--keep]`: random faults on real parts under steady load, then the exact
 * check (`run/run-chaos.ts`), on one broker or on three. Runs for S seconds (default 300) and until there were N faults (default 200). Exit code 1 when
 * anything is lost, doubled, out of order or left open.
 */
import { parseArgs } from 'node:util';
import { SIZES } from './run/brokers.ts';
import { runChaos } from './run/run-chaos.ts';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '300' },
    faults: { type: 'string', default: '200' },
    keep: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [seconds, minFaults, seed] = [Number(values.seconds), Number(values.faults), Number(values.seed)];
const brokers = SIZES.find((size) => String(size) === values.brokers);
if (brokers === undefined || ![seconds, minFaults, seed].every((value) => Number.isInteger(value) && value >= 0)) {
  console.error('usage: npm run chaos -- [--brokers 1|3] [--seconds S] [--faults N] [--seed X] [--keep], whole numbers');
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(130)); // Everything that was started ends with this process.
}

try {
  const { differences, unfinished, faults } = await runChaos({ brokers, seed, seconds, minFaults, keep: values.keep, report: console.log });
  const wrong = [...Object.values(differences).flat(), ...unfinished];
  process.exit(wrong.length === 0 && faults.length >= minFaults ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
