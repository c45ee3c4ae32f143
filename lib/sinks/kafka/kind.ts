import { serdeFor } from '../../format/serde.ts';
import type { SinkKind } from '../kind.ts';
import { SinkEncoder } from './sink-encoder.ts';
import type { KafkaSinkSpec, KafkaTarget } from './spec.ts';

/** A topic of Kafka. */
export const kafkaKind = {
  targetOf: ({ kind, topic }) => ({ kind, topic }),
  renamed: (spec, topic) => ({
    ...spec,
    topic,
    key: serdeFor(spec.key, { topic, part: 'key', use: 'write' }),
    value: serdeFor(spec.value, { topic, part: 'value', use: 'write' }),
  }),
  describe: ({ topic, delivery, key, value }) => ({ topic, delivery, key: key?.name, value: value.name }),
  serdesOf: ({ key, value }) => ({ value, key }),
  givesToUser: ({ toRecord }) => toRecord !== undefined,
  encoder: (spec, context) => new SinkEncoder(spec, context),
  connectors: { 'exactly-once': 'kafka', 'at-least-once': 'write-ahead' },
} as const satisfies SinkKind<KafkaSinkSpec, KafkaTarget>;
