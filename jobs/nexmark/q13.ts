import { readFileSync } from 'node:fs';
import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

const ROWS = 10_000;

/** A row of the side table, of which the file has one a line. */
interface Row {
  readonly key: number;
  readonly value: string;
}

/** Every bid, with what the side table has for its auction. The table never changes: SIDE says in which file it is, and every process reads it. */
export default defineJob('nexmark-q13', (job) => {
  const side = readSide(process.env['SIDE']);
  job
    .source('read-events', events)
    .filter(isBid)
    .flatMap(({ auction, bidder, price, dateTime }) => {
      const value = side.get(auction % ROWS);
      return value === undefined ? [] : [{ auction, bidder, price, dateTime, value }];
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q13', value: json() }));
});

function readSide(file: string | undefined): ReadonlyMap<number, string> {
  if (file === undefined)
    throw new Error('SIDE is not set: it names the file of the side table, of which each line is {"key": …, "value": …}');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return new Map(lines.map((line) => JSON.parse(line) as Row).map(({ key, value }) => [key, value]));
}
