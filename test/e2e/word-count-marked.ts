import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, renamed, utf8, valueState, versioned } from '../../lib/api/index.ts';

const visits = versioned({ version: 2, serde: json<{ n: number }>(), older: { 1: { serde: int64, migrate: (n) => ({ n }) } } });

/** The word count after a change of its code: other output, other names of source, operator and state, and a count that is kept in another form. */
export default defineJob('word-count', (job) => {
  job
    .source({ uid: 'read-words', formerly: 'read-lines' }, kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'latest' }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process(
      { uid: 'tally', formerly: 'count-words' },
      {
        state: { visits: renamed(valueState(visits, { n: 0 }), { formerly: 'count' }) },
        onRecord(word, state, out: Output<string>) {
          out.emit(`changed ${word}:::${state.visits.update(({ n }) => ({ n: n + 1 })).n}`);
        },
      },
    )
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8, delivery: 'exactly-once' }));
});
