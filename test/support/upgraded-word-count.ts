import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, renamed, utf8, valueState, versioned } from '../../lib/api/index.ts';

interface Visits {
  readonly n: number;
  readonly unit: string;
}

const visits = versioned({
  version: 2,
  serde: json<Visits>(),
  older: { 1: { serde: int64, migrate: (n) => ({ n, unit: 'words' }) } },
});

/** The word count of a later build: its source, its operator and its state have other names, and the count is kept in another form. */
export default defineJob('word-count', (job) => {
  job
    .source({ uid: 'read-words', formerly: 'read-lines' }, kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process(
      { uid: 'tally', formerly: 'count-words' },
      {
        state: { visits: renamed(valueState(visits, { n: 0, unit: 'words' }), { formerly: 'count' }) },
        onRecord(word, state, out: Output<string>) {
          const { n } = state.visits.update((before) => ({ ...before, n: before.n + 1 }));
          out.emit(`${word}:::${n}`);
        },
      },
    )
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});
