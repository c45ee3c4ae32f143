/**
 * CPU of a count by windows in the operator runtime, in nanoseconds a record, results and snapshots included, without I/O:
 *
 *     node bench/micro/windows.ts [records of a key in a minute, default 600] [keys, default 200] [epochs, default 40]
 *
 * An epoch is half a minute of event time. Sliding windows are of an hour, every minute: what is measured begins when the first is full.
 * Without a merge each window has an accumulator of its own.
 */

import { type CountingName, countings, FULL_EPOCHS, openCounting, plainFold, runEpoch, segmentAt } from './window-count.ts';

/** Of the one without a merge: it takes so long. */
const FEW_EPOCHS = 4;

const ofKeyInMinute = Number(process.argv[2] ?? 600);
const keys = Number(process.argv[3] ?? 200);
const epochs = Number(process.argv[4] ?? 40);

function measure(name: CountingName, isSlow: boolean): void {
  const runtime = openCounting(name, plainFold);
  const costs: number[] = [];
  let results = 0;
  const first = isSlow ? FULL_EPOCHS - FEW_EPOCHS : 0;
  for (let epoch = first; epoch < FULL_EPOCHS + (isSlow ? FEW_EPOCHS : epochs); epoch++) {
    const segment = segmentAt(epoch, ofKeyInMinute, keys);
    const started = process.cpuUsage();
    const done = runEpoch(runtime, epoch, segment);
    const { user, system } = process.cpuUsage(started);
    if (epoch < FULL_EPOCHS) continue;
    costs.push(((user + system) * 1_000) / done.recordsIn);
    results += done.results;
  }
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  const figures = [Math.min(...costs), mean].map((cost) => cost.toFixed(0).padStart(6));
  console.log(`${name.padEnd(32)} best ${figures[0]}, mean ${figures[1]} ns a record; ${results} results`);
}

for (const name of Object.keys(countings) as CountingName[]) measure(name, name.endsWith('no merge'));
