/**
 * Nanoseconds a row of an exchange, written by a source and read by an operator: `npx node bench/micro/exchange.ts [name part]`.
 * By how many different keys there are, and whether the value is the key, as words are, or something else.
 */
import { ExchangeReader } from '../../lib/format/exchange-reader.ts';
import { ExchangeWriter } from '../../lib/format/exchange-writer.ts';
import { int64, utf8 } from '../../lib/format/serdes.ts';
import { measure } from './measure.ts';
import { zipfWords } from './words.ts';

const ROWS = 20_000;
const T = 1_700_000_000_000;
const LINES_A_MS = 8;

const text = zipfWords(7);
const drawn: string[] = [];
while (drawn.length < ROWS) drawn.push(...text.line().split(' '));
const words = drawn.slice(0, ROWS);
const distinct = words.map((_, index) => `k${index}`);
const few = words.map((_, index) => `key${index % 64}`);
const numbers = words.map((_, index) => index * 7);

let sink = 0;
for (const [name, keys, values] of [
  ['words by themselves', words, words],
  ['words, value a number', words, numbers],
  ['64 keys, value a number', few, numbers],
  ['a new key in every row', distinct, numbers],
] as const) {
  for (const targets of [1, 4]) {
    const options = {
      key: utf8,
      value: keys === (values as unknown) ? utf8 : int64,
      targets,
      targetOf: (hash: number) => (hash >>> 1) % targets,
    };
    const writer = new ExchangeWriter(options as ConstructorParameters<typeof ExchangeWriter>[0]);
    const write = () => {
      writer.begin();
      for (let row = 0; row < ROWS; row++) writer.append(keys[row], values[row], T + (row >> LINES_A_MS));
      return writer.finish();
    };
    const segments = write().flatMap((parts) => (parts === undefined ? [] : [Buffer.concat(parts)]));
    const bytes = segments.reduce((sum, segment) => sum + segment.length, 0);
    measure(`write: ${name}, ${targets} targets (${(bytes / ROWS).toFixed(1)} bytes a row)`, ROWS, 0, write);
    if (targets > 1) continue;
    const reader = new ExchangeReader();
    measure(`read: ${name}`, ROWS, 0, () => {
      for (const segment of segments) {
        reader.open(segment, 'bench');
        while (reader.next()) sink += reader.keyIndex;
      }
    });
  }
}
if (sink === 0.5) console.log(sink);
