import {
  defineJob,
  int64,
  kafkaSink,
  kafkaSource,
  type Output,
  tumblingWindows,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { INPUT, JOB } from '../sim-job.ts';

/** Of every word and visitor one record goes there. */
export const COUNTED = 'output';
export const MINUTES = 'minutes';

const VISIT_MS = 300_000;
const WORDS = 50;
const WORDS_OF_A_LINE = 2;

/** How many records a line makes in the topic `COUNTED`. */
export const RECORDS_OF_A_LINE = WORDS_OF_A_LINE + 1;

/** The n-th line: two of so many words, and a visitor who never comes again. */
export function lineOf(n: number): string {
  return `w${n % WORDS} w${(n * 7 + 3) % WORDS} visitor-${n}`;
}

/**
 * State as a job has that runs for years: of words, of which there are so many; of visitors, of which there are ever more, for five minutes;
 * and of minutes, which pass.
 */
export const longJob = defineJob(JOB, (job) => {
  const words = job
    .source('read', kafkaSource({ topic: INPUT, value: utf8, startingOffsets: 'earliest', eventTime: { maxOutOfOrdernessMs: 1_000 } }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8);
  words
    .process('count', {
      state: { ever: valueState(int64, 0), lately: withTtl(valueState(int64, 0), { ttlMs: VISIT_MS }) },
      onRecord(word, { ever, lately }, out: Output<string>) {
        const count = word.startsWith('visitor-') ? lately : ever;
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
      },
    })
    .sink('write', kafkaSink({ topic: COUNTED, value: utf8 }));
  words
    .window(tumblingWindows({ sizeMs: 60_000 }))
    .aggregate('minute', { accumulator: int64, initial: 0, add: (n) => n + 1, result: (n, { key, startMs }) => `${key} ${startMs} ${n}` })
    .sink('write-minutes', kafkaSink({ topic: MINUTES, value: utf8 }));
});
