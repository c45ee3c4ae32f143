import { defineJob, kafkaSink, utf8 } from '../../lib/api/index.ts';
import { countedWords } from './counted-words.ts';
import { keepLast, keepOrders } from './postgresql-sinks.ts';

/** The word count, each count written to a topic, and as an order of so many cents to PostgreSQL. */
export default defineJob('orders', (job) => {
  const counts = countedWords(job).map(({ word, count }) => ({ id: `${word}:::${count}`, customer: word, cents: count }));
  counts.map(({ id }) => id).sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
  counts.sink('keep-orders', keepOrders);
  counts.sink('keep-last', keepLast);
});
