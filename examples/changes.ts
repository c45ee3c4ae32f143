/** A change stream whose producer sends some changes again: each change once. What was seen is forgotten after a day. */
import { defineJob, json, kafkaSink, kafkaSource, utf8 } from '../lib/api/index.ts';

interface Change {
  /** Of the change: the position in the log of the database. */
  readonly id: string;
  readonly table: string;
  readonly row: string;
}

export default defineJob('changes', (job) => {
  job
    .source('read-changes', kafkaSource({ topic: 'changes', value: json<Change>() }))
    .keyBy(({ id }) => id, utf8)
    .deduplicate('once', { forMs: 24 * 3_600_000 })
    .map(({ id, table, row }) => `${id} ${table} ${row}`)
    .sink('write-changes', kafkaSink({ topic: 'changes-once', value: utf8 }));
});
