import { defineJob, type KafkaSink, kafkaSink, kafkaSource, type OutputRecord, utf8 } from '../../lib/api/index.ts';

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export const FIRST_MS = 1_700_000_000_000;

/** Of a number everything that a record can have: headers with and without values, a timestamp, a partition now and then, and tombstones. */
export function recordOf(codec: string, text: string): OutputRecord<string, string> {
  const n = Number(text);
  return {
    key: `key ${n % 50}`,
    value: n % 7 === 0 ? undefined : `${codec} ${n} ${'and so on '.repeat(n % 20)}end`,
    headers: [
      { key: 'codec', value: Buffer.from(codec) },
      { key: 'number', value: Buffer.from(text) },
      { key: 'empty', value: Buffer.alloc(0) },
      ...(n % 3 === 0 ? [{ key: 'none', value: undefined }] : []),
    ],
    timestamp: FIRST_MS + n * 1000,
    ...(n % 5 === 0 && { partition: n % 3 }),
  };
}

const sinkOf = (codec: (typeof CODECS)[number]): KafkaSink<string, string, string> =>
  kafkaSink({ topic: codec, key: utf8, value: utf8, compression: codec, toRecord: (text: string) => recordOf(codec, text) });

/** Each number as a record to one topic for each codec. */
export default defineJob('records', (job) => {
  const numbers = job.source('read', kafkaSource({ topic: 'numbers', value: utf8, startingOffsets: 'earliest' }));
  for (const codec of CODECS) numbers.sink(`write-${codec}`, sinkOf(codec));
});
