import { byName } from '../../config/by-name.ts';
import { inCluster } from '../../config/clusters.ts';
import { type Serde, serdeFor } from '../../format/serde.ts';
import type { SinkKind } from '../kind.ts';
import { rowsOfBatches, serdesAt } from './record-rows.ts';
import { SinkEncoder } from './sink-encoder.ts';
import type { KafkaSinkSpec, KafkaTarget } from './spec.ts';
import { decodeStagedOutput } from './staged-output.ts';

/** A topic of Kafka. */
export const kafkaKind = {
  targetOf: ({ kind, cluster, topics }) => ({ kind, topics: topics.map(({ topic }) => inCluster(cluster, topic)) }),
  names: ({ topics }) => topics.map(({ name }) => name),
  renamed: (spec, names) => ({
    ...spec,
    topics: spec.topics.map((of) => {
      const topic = names.get(of.name) ?? of.topic;
      const key = serdeFor(of.key, { topic, part: 'key', use: 'write' });
      const value = serdeFor(of.value, { topic, part: 'value', use: 'write' });
      return { name: of.name, topic, key, value };
    }),
  }),
  describe: ({ cluster, topics, delivery }) => {
    const [{ key, value } = {}] = topics;
    return { topics: topics.map(({ topic }) => inCluster(cluster, topic)), delivery, key: key?.name, value: value?.name };
  },
  serdesOf: ({ topics: [first, ...others] }) =>
    byName<Serde<unknown> | undefined>([
      ['value', first?.value],
      ['key', first?.key],
      ...others.flatMap(({ name, key, value }) => [[`value for ${name}`, value] as const, [`key for ${name}`, key] as const]),
    ]),
  topics: ({ topics }) => topics,
  writesTo: ({ topics }) => `writes ${topics.length === 1 ? 'topic' : 'topics'} ${topics.join(', ')}`,
  rows: (spec, payload, name) =>
    decodeStagedOutput(payload, name).flatMap(({ topic, partition, batches }) =>
      rowsOfBatches(batches, `${topic}-${partition}`, serdesAt(spec, topic)),
    ),
  givesToUser: ({ toRecord }) => toRecord !== undefined,
  encoder: (spec, context) => new SinkEncoder(spec, context),
  connectors: { 'exactly-once': 'kafka', 'at-least-once': 'write-ahead' },
} as const satisfies SinkKind<KafkaSinkSpec, KafkaTarget>;
