/** `npm run simulate`: see USAGE. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { argumentsOf, wholeNumber } from '../../local/command.ts';
import { drawWorld } from './draw.ts';
import { reportOf } from './report.ts';
import { runSeed } from './run.ts';
import { shrink } from './shrink.ts';
import { addOutcome, addTally, newTally, type Tally, tableOf } from './tally.ts';

const USAGE = `npm run simulate -- [--seeds N] [--from F] [--jobs J]    runs seeds F … F + N - 1 (default 1 … 1000) in J processes (default 2),
                                                         prints a table of the faults
npm run simulate -- --seed S                             runs one seed and prints its history; a failing one is shrunk`;

const options = {
  seeds: { type: 'string', default: '1000' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  jobs: { type: 'string', default: '2' },
} as const;
const asked = argumentsOf({ name: 'npm run simulate', usage: USAGE, options }, (given) => ({
  seeds: wholeNumber('seeds', given.seeds, 1),
  from: wholeNumber('from', given.from, 0),
  seed: given.seed === undefined ? undefined : wholeNumber('seed', given.seed, 0),
  jobs: wholeNumber('jobs', given.jobs, 1),
}));

if (asked.seed !== undefined) await replay(asked.seed);
else if (process.send !== undefined) process.send(await runSeeds(asked.from, asked.seeds));
else await runAll(asked.from, asked.seeds, asked.jobs);

async function replay(seed: number): Promise<void> {
  const outcome = await runSeed(seed, { history: true });
  if (outcome.violations.length === 0) {
    for (const line of outcome.history) console.log(line);
    console.log(`seed ${seed}: ${outcome.epochs} epochs, ${outcome.injected.length} faults, no violation`);
    return;
  }
  const options = drawWorld(seed);
  const smaller = await shrink(options, outcome);
  console.log(reportOf(smaller, smaller === outcome ? undefined : { faults: outcome.injected.length, lines: outcome.history.length }));
  process.exitCode = 1;
}

async function runSeeds(from: number, seeds: number): Promise<Tally> {
  // Traces of errors that are part of the play cost more than the play.
  Error.stackTraceLimit = 0;
  const tally = newTally();
  for (let seed = from; seed < from + seeds; seed++) addOutcome(tally, await runSeed(seed));
  return tally;
}

async function runAll(from: number, seeds: number, jobs: number): Promise<void> {
  const startedMs = performance.now();
  const total = newTally();
  const share = Math.ceil(seeds / jobs);
  const parts = Array.from({ length: jobs }, (_, job) => ({ from: from + job * share, seeds: Math.min(share, seeds - job * share) }));
  await Promise.all(
    parts.map(async (part) => {
      if (part.seeds <= 0) return;
      const child = fork(import.meta.filename, ['--from', String(part.from), '--seeds', String(part.seeds)]);
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.on('message', (tally) => addTally(total, tally as Tally));
      const [code] = await exited;
      if (code !== 0) throw new Error(`the process for seeds ${part.from} … ${part.from + part.seeds - 1} ended with code ${code}`);
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(tableOf('faults injected', total.faults));
  console.log(tableOf('what they led to', total.effects));
  console.log(
    `${total.seeds} seeds in ${seconds.toFixed(0)} s (${(total.seeds / seconds).toFixed(0)} a second in ${jobs} processes), ${total.epochs} epochs, ${total.events} events, ${(total.virtualMs / 3_600_000).toFixed(0)} hours of virtual time`,
  );
  for (const { seed, violations } of total.failed)
    for (const { invariant, message } of violations) console.log(`seed ${seed} violates ${invariant}: ${message}`);
  const [first] = total.failed.sort((left, right) => left.seed - right.seed);
  console.log(first === undefined ? 'no invariant was violated' : `${total.failed.length} seeds failed`);
  if (first !== undefined) await replay(first.seed);
}
