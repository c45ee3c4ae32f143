import { int64, type JobBuilder, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** One word, and how often it has been there up to now. */
export interface Count {
  readonly word: string;
  readonly count: number;
}

/** The counting half of the jobs that write counts to somewhere: of every word each count from 1 on, once. */
export function countedWords(job: JobBuilder) {
  return job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'earliest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<Count>) {
        out.emit({ word, count: count.update((n) => n + 1) });
      },
    });
}
