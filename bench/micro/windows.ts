/**
 * CPU of a count by windows in the operator runtime, in nanoseconds a record, results and snapshots included, without I/O; and how many
 * times that of tumbling windows of a minute:
 *
 *     node bench/micro/windows.ts [records of a key in a minute, default 600] [keys, default 200] [epochs, default 40] [rounds, default 3]
 *
 * An epoch is half a minute of event time. Sliding windows are of an hour, every minute: what is measured begins when the first is full.
 * Without a merge they share no slices, and each window has an accumulator of its own. Each measurement is a process, and they take turns:
 * so none runs on code that another one warmed, and all see the same machine. Of the rounds the median is printed, and the least.
 */
import { execFileSync } from 'node:child_process';
import { type CountingName, countings, FULL_EPOCHS, openCounting, plainFold, runEpoch, segmentAt } from './window-count.ts';

/** Of the one without a merge: it takes so long. */
const FEW_EPOCHS = 4;
const BASE: CountingName = 'tumbling 1 min';

interface Cost {
  /** Nanoseconds of CPU a record. */
  readonly meanNs: number;
  readonly results: number;
}

const [ofKeyInMinute = 600, keys = 200, epochs = 40, rounds = 3] = process.argv.slice(2, 6).map(Number);
const only = process.argv[6];
if (only === undefined) compare();
else console.log(JSON.stringify(measured(only as CountingName)));

function measured(name: CountingName): Cost {
  const runtime = openCounting(name, plainFold);
  const isSlow = sharesNothing(name);
  let [cpuMicros, records, results] = [0, 0, 0];
  for (let epoch = isSlow ? FULL_EPOCHS - FEW_EPOCHS : 0; epoch < FULL_EPOCHS + (isSlow ? FEW_EPOCHS : epochs); epoch++) {
    const segment = segmentAt(epoch, ofKeyInMinute, keys);
    const started = process.cpuUsage();
    const done = runEpoch(runtime, epoch, segment);
    const { user, system } = process.cpuUsage(started);
    if (epoch < FULL_EPOCHS) continue;
    cpuMicros += user + system;
    records += done.recordsIn;
    results += done.results;
  }
  return { meanNs: (cpuMicros * 1_000) / records, results };
}

function compare(): void {
  const names = Object.keys(countings) as CountingName[];
  const costs = new Map(names.map((name) => [name, [] as Cost[]]));
  for (let round = 0; round < rounds; round++)
    for (const name of names) if (round === 0 || !sharesNothing(name)) costs.get(name)?.push(inProcess(name));
  const base = middle(costs.get(BASE) ?? []);
  for (const [name, of] of costs) {
    const least = Math.min(...of.map(({ meanNs }) => meanNs));
    const figures = [middle(of), least].map((ns) => ns.toFixed(0).padStart(6));
    const times = (middle(of) / base).toFixed(2);
    console.log(`${name.padEnd(32)} median ${figures[0]}, least ${figures[1]} ns a record; ${times} times; ${of[0]?.results} results`);
  }
}

function inProcess(name: CountingName): Cost {
  const args = [import.meta.filename, ...[ofKeyInMinute, keys, epochs, rounds].map(String), name];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Cost;
}

function middle(costs: readonly Cost[]): number {
  const sorted = costs.map(({ meanNs }) => meanNs).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function sharesNothing(name: CountingName): boolean {
  return name.endsWith('no merge');
}
