/** `npm run chaos`: see USAGE. */

import { UsageError } from '../../lib/config/usage-error.ts';
import { argumentsOf, wholeNumber } from '../../local/command.ts';
import { SIZES, type Size } from './run/brokers.ts';

import { runChaos } from './run/run-chaos.ts';
import type { Workload } from './run/workload.ts';

const USAGE = `npm run chaos [-- [--brokers 1|3] [--job words|lists] [--sinks kafka|all] [--seconds S] [--faults N] [--seed X] [--keep]]

Random faults on real parts under steady load, then the exact check (test/chaos/run/run-chaos.ts, docs/chaos.md). Exit code 1 when
anything is lost, doubled, out of order or left open, or when the job stands still while two of three brokers are well.

  --brokers N    one broker, or a cluster of three (default 1)
  --job J        the word count, whose counts are compared; or a job that appends to lists, whose history Porcupine judges, a
                 public checker (Go brings it), and a plain check: words or lists (default words)
  --sinks W      the word count to a topic, or to a topic, files and a table of DynamoDB at once: kafka or all (default kafka)
  --seconds S    faults come for so long (default 300)
  --faults N     and until there were so many (default 200)
  --seed X       which faults, and in which order (default: drawn)
  --keep         keeps history, logs and data also when nothing is wrong`;

const options = {
  brokers: { type: 'string', default: '1' },
  job: { type: 'string', default: 'words' },
  sinks: { type: 'string', default: 'kafka' },
  seconds: { type: 'string', default: '300' },
  faults: { type: 'string', default: '200' },
  keep: { type: 'boolean', default: false },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
} as const;
function sizeOf(given: string): Size {
  const size = SIZES.find((one) => String(one) === given);
  if (size === undefined) throw new UsageError(`--brokers is "${given}": it must be ${SIZES.join(' or ')}`);
  return size;
}

const WORKLOADS: Readonly<Record<string, Workload>> = { 'words kafka': 'words', 'words all': 'words-everywhere', 'lists kafka': 'lists' };

function workloadOf(job: string, sinks: string): Workload {
  const workload = WORKLOADS[`${job} ${sinks}`];
  if (workload === undefined)
    throw new UsageError(`--job is "${job}" and --sinks "${sinks}": they must be words with kafka or all, or lists with kafka`);
  return workload;
}

const { brokers, workload, seconds, minFaults, seed, keep } = argumentsOf({ name: 'npm run chaos', usage: USAGE, options }, (given) => ({
  brokers: sizeOf(given.brokers),
  workload: workloadOf(given.job, given.sinks),
  seconds: wholeNumber('seconds', given.seconds, 0),
  minFaults: wholeNumber('faults', given.faults, 0),
  seed: wholeNumber('seed', given.seed, 0),
  keep: given.keep,
}));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(130)); // Everything that was started ends with this process.
}

try {
  const result = await runChaos({
    brokers,
    workload,
    oneAway: brokers > 1,
    seed,
    seconds,
    minFaults,
    keep,
    report: console.log,
  });
  const wrong = [...result.wrong, ...result.stalled];
  process.exit(wrong.length === 0 && result.faults.length >= minFaults ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
