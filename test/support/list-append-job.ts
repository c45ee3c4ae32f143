import { defineJob, kafkaSink, kafkaSource, listState, type Output, utf8 } from '../../lib/api/index.ts';

/** One line is one append: `key element`. Of each key the list of what it has seen comes out, with each that comes. */
export default defineJob('list-append', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: utf8, startingOffsets: 'earliest' }))
    .map((line) => {
      const [key = '', element = ''] = line.split(' ');
      return { key, element };
    })
    .keyBy(({ key }) => key, utf8)
    .process('append', {
      state: { seen: listState(utf8) },
      onRecord({ element }, { seen }, out: Output<string>, { key }) {
        seen.add(element);
        out.emit(`${key} ${element}: ${[...seen].join(' ')}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'flink_kafka2', value: utf8 }));
});

const KEYS = 6;
const APPENDS = 6;
/** A list lives for so many transactions of the load, which is longer than any fault, and then it is left: its records grow with it. */
const ROUNDS_OF_A_LIST = 300;

/** The appends of one transaction: no element comes twice, and each key comes in every partition. */
export function someAppends(round: number): string[] {
  const age = Math.floor(round / ROUNDS_OF_A_LIST);
  return Array.from({ length: APPENDS }, (_, n) => `k${age}.${(round + n) % KEYS} ${round}.${n}`);
}
