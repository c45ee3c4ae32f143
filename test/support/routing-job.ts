import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

interface Counted {
  readonly word: string;
  readonly count: number;
}

/** The word that asks for a topic that the sink does not name. */
export const ASTRAY = 'astray';
export const TOPICS = ['odd', 'even', 'threes'] as const;

export function topicOf({ word, count }: Counted): string {
  if (word === ASTRAY) return 'nowhere';
  if (count % 3 === 0) return 'threes';
  return count % 2 === 0 ? 'even' : 'odd';
}

/** The word count, each count by its number to one of three topics. */
export default defineJob('routing', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'earliest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<Counted>) {
        out.emit({ word, count: count.update((n) => n + 1) });
      },
    })
    .sink(
      'write-counts',
      kafkaSink({
        topics: TOPICS,
        topic: topicOf,
        key: utf8,
        value: utf8,
        compression: 'gzip',
        toRecord: ({ word, count }: Counted) => ({ key: word, value: `${word}:::${count}` }),
      }),
    );
});
