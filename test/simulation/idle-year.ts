/** `npm run cost:idle`: see USAGE. */
import { withPrices } from '../../bench/cost/prices.ts';
import { argumentsOf, wholeNumber } from '../../local/command.ts';
import { dollarsOf, idleRun, idleYearOf } from './length/idle.ts';
import { LongRun } from './length/long-run.ts';

const USAGE = `npm run cost:idle -- [--days 2] [--price name=dollars]

What a job costs in a year in which no record comes, at intervals of 1, 10 and 60 s: by the requests of the engine's coordinator in so many simulated
days, counted and taken for a year, and the prices of bench/cost/prices.ts.`;

const options = { days: { type: 'string', default: '2' }, price: { type: 'string', multiple: true } } as const;
const { days, prices } = argumentsOf({ name: 'npm run cost:idle', usage: USAGE, options }, (given) => ({
  days: wholeNumber('days', given.days, 1),
  prices: withPrices(given.price ?? []),
}));

const INTERVALS_MS = [1_000, 10_000, 60_000];

console.log(
  'coordinator  interval  epochs  Lambda s      write      read     lists  puts  stored B   Lambda   table  bucket  dollars a year',
);
for (const way of ['stays', 'exits'] as const) {
  for (const intervalMs of INTERVALS_MS) {
    const year = idleYearOf(await new LongRun(idleRun(days, intervalMs, way)).run(), days);
    const { lambda, table, bucket } = dollarsOf(year, prices);
    const cells: readonly (readonly [string | number, number])[] = [
      [way, 11],
      [`${intervalMs / 1_000} s`, 9],
      [year.epochs, 7],
      [year.coordinatorSeconds, 9],
      [year.writeUnits, 10],
      [year.readUnits, 9],
      [year.lists, 9],
      [year.puts, 5],
      [year.storedBytes, 9],
      [lambda.toFixed(2), 8],
      [table.toFixed(2), 7],
      [bucket.toFixed(2), 7],
      [(lambda + table + bucket).toFixed(2), 15],
    ];
    console.log(cells.map(([text, width]) => String(text).padStart(width)).join(' '));
  }
}
