/** `npm run month`: see USAGE. */
import { argumentsOf, wholeNumber } from '../../local/command.ts';
import { askedPerEpoch, grown, MEASURES, mostIn } from './length/bounds.ts';
import { LongRun } from './length/long-run.ts';
import { busyRun } from './length/plans.ts';
import type { Sample } from './length/services.ts';

const USAGE = `npm run month -- [--days 30] [--interval-ms 10000]

A job for so many simulated days: an epoch each interval, coordinators as long as Lambda lets them run, and in each three days a savepoint that is
kept for a day, a start from one, changes of parallelism, crashes and lost functions. Prints what is kept in table and bucket, day by day, and what
is asked for each epoch. Ends with 1 if the last of these periods keeps more than the second by half: what is never collected adds up, and how much waits for
collection at most depends on when failures come. The first begins with one subtask and is like no other.`;

const DAY_MS = 86_400_000;
const PERIOD_DAYS = 3;
const LEAST_PERIODS = 3;
const ALLOWED = 0.5;
const KB = 1_024;

const options = { days: { type: 'string', default: '30' }, 'interval-ms': { type: 'string', default: '10000' } } as const;
const asked = argumentsOf({ name: 'npm run month', usage: USAGE, options }, (given) => ({
  days: wholeNumber('days', given.days, 2),
  intervalMs: wholeNumber('interval-ms', given['interval-ms'], 100),
}));

// Traces of errors that are part of the play cost more than the play.
Error.stackTraceLimit = 0;
const startedMs = performance.now();
const periods = Math.max(LEAST_PERIODS, Math.round(asked.days / PERIOD_DAYS));
const lengthMs = asked.days * DAY_MS;
let shownDays = 0;

console.log('day      rows  lasting  table KB  job row B     blobs   blobs KB   heap MB');
const outcome = await new LongRun(busyRun(lengthMs, asked.intervalMs, periods)).run((samples) => {
  if ((samples.at(-1)?.atMs ?? 0) >= (shownDays + 1) * DAY_MS) console.log(rowOf(shownDays++, samples));
});
const { samples } = outcome;
for (; shownDays < asked.days; shownDays++) console.log(rowOf(shownDays, samples));
for (const [what, each] of Object.entries(askedPerEpoch(outcome))) console.log(`${what.padEnd(20)} ${each.toFixed(3)}`);
const { epochs, tenures, failedAttempts, committed, expected } = outcome;
console.log(
  `${epochs} epochs of ${asked.intervalMs} ms, ${tenures} coordinators, ${failedAttempts} failed attempts; ${committed} records of ${expected} committed; ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`,
);
const periodMs = lengthMs / periods;
// Rows of retired epochs stay for a day: with two days at least the second period reaches beyond the first of them.
const found = grown(samples, [periodMs, 2 * periodMs], [lengthMs - periodMs, lengthMs], ALLOWED);
for (const line of found) console.log(`grew: ${line}`);
if (found.length === 0) console.log(`nothing grew: ${MEASURES.join(', ')}`);
process.exitCode = found.length === 0 ? 0 : 1;

/** What was kept on a day at most. */
function rowOf(day: number, samples: readonly Sample[]): string {
  const [fromMs, toMs] = [day * DAY_MS, (day + 1) * DAY_MS];
  const most = mostIn(samples, fromMs, toMs);
  const part = samples.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
  return [
    String(day + 1).padStart(3),
    String(most.rows).padStart(9),
    String(most.lastingRows).padStart(8),
    (most.tableBytes / KB).toFixed(0).padStart(9),
    String(Math.max(...part.map(({ jobRowBytes }) => jobRowBytes))).padStart(10),
    String(most.blobs).padStart(9),
    (most.blobBytes / KB).toFixed(0).padStart(10),
    (Math.min(...part.map(({ heapBytes }) => heapBytes)) / KB / KB).toFixed(0).padStart(9),
  ].join(' ');
}
