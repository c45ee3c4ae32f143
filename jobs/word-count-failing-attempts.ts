import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../lib/api/index.ts';

/** The chance of an attempt at an epoch to throw at one of its words. */
const FAILURE_PROBABILITY = Number(process.env['ATTEMPT_FAILURE_PROBABILITY'] ?? 1 / 3);

/** Word count for any amount of input, in which an attempt in three throws somewhere after some of its words are counted. */
export default defineJob('word-count-failing-attempts', (job) => {
  const mayThrow = oncePerAttempt(FAILURE_PROBABILITY);
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(`${word}:::${count.update((n) => n + 1)}`);
        mayThrow();
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});

/**
 * A function that throws in some of the attempts, at a word drawn from as many as the attempt before had. Operators run
 * over an epoch's input without a pause, so the first call after one belongs to a new attempt.
 */
function oncePerAttempt(probability: number): () => void {
  let underWay = false;
  let words = 0;
  let failingWord = 0;
  return () => {
    if (!underWay) {
      underWay = true;
      failingWord = Math.random() < probability ? Math.ceil(Math.random() * Math.max(words, 1)) : 0;
      words = 0;
      setImmediate(() => {
        underWay = false;
      });
    }
    words++;
    if (words === failingWord) throw new Error(`this attempt was drawn to fail at its word ${words}`);
  };
}
