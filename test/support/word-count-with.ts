import { defineJob, int64, type JobDefinition, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** The word count with something else done at each word, before it is counted. @param step how much it counts for; default 1 */
export function wordCountWith(
  name: string,
  does: { readonly before?: () => void; readonly step?: (word: string) => number },
): JobDefinition {
  const { before = () => {}, step = () => 1 } = does;
  return defineJob(name, (job) => {
    job
      .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
      .flatMap((line) => line.split(' '))
      .keyBy((word) => word, utf8)
      .process('count-words', {
        state: { count: valueState(int64, 0) },
        onRecord(word, { count }, out: Output<string>) {
          before();
          out.emit(`${word}:::${count.update((n) => n + step(word))}`);
        },
      })
      .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
  });
}
