import { defineJob, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { avro } from '../../lib/formats/avro.ts';
import { schemaRegistry } from '../../lib/formats/registry.ts';

const registry = schemaRegistry({ url: process.env['SCHEMA_REGISTRY_URL'] ?? 'mock://avro-job', timeoutMs: 2_000 });

export const lineSchema = {
  type: 'record',
  name: 'Line',
  fields: [
    { name: 'text', type: 'string' },
    { name: 'from', type: 'string', default: 'nobody' },
  ],
};
const resultSchema = { type: 'record', name: 'Result', fields: [{ name: 'text', type: 'string' }] };

/** Counts lines by who they are from, which older lines do not say. */
export default defineJob('avro-lines', (job) => {
  job
    .source('read-lines', kafkaSource({ topic: 'flink_kafka', value: avro<{ text: string; from: string }>(lineSchema, { registry }) }))
    .keyBy(({ from }) => from, utf8)
    .process('number-lines', {
      state: {
        result: valueState(avro<{ text: string }>(resultSchema, { registry, subject: 'state-of-results' })),
        count: valueState(utf8, ''),
      },
      onRecord({ text, from }, { result, count }, out: Output<{ text: string }>) {
        const before = result.get()?.text ?? 'nothing';
        result.set({ text });
        out.emit({ text: `${from} ${count.update((ticks) => `${ticks}|`)} ${text} after ${before}` });
      },
    })
    .sink('write-results', kafkaSink({ topic: 'flink_kafka2', value: avro<{ text: string }>(resultSchema, { registry }) }));
});
