import type { KafkaSource } from '../api/kafka.ts';
import { inCluster } from '../config/clusters.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { murmur2, toPositive } from '../format/murmur2.ts';
import type { RecordHeader } from '../format/record-header.ts';
import type { Serde } from '../format/serde.ts';
import { bytes } from '../format/serdes.ts';
import { type JobDefinition, JobDefinitionError, type SourceNode } from '../graph/job.ts';
import { isAt } from '../graph/kinds.ts';
import type { MemoryTopics } from './memory-topics.ts';

/** A record for a source's topic. */
export interface InputRecord<K, V> {
  /** By the source's serde of keys. @default none */
  readonly key?: K | undefined;
  /** Undefined: a record without a value (a tombstone). */
  readonly value: V | undefined;
  /** Milliseconds since the Unix epoch. @default the processing time */
  readonly timestamp?: number;
  /** In their order. */
  readonly headers?: readonly RecordHeader[];
  /** Which one it goes to. @default by the key as the Java client does; without a key the next one in turn */
  readonly partition?: number;
}

/** A source as `kafkaSource` gave it, its uid, or a topic. */
export type InputOf = string | KafkaSource<unknown>;

/** Writes to the topics of a job's sources, as producers do. */
export class Input {
  readonly #job: JobDefinition;
  readonly #topics: MemoryTopics;
  #inTurn = 0;

  constructor(job: JobDefinition, topics: MemoryTopics) {
    this.#job = job;
    this.#topics = topics;
  }

  /** Throws what the source's serdes throw: nothing is written then of that record and those behind it. */
  write(to: InputOf, records: readonly InputRecord<unknown, unknown>[], nowMs: number): void {
    const { cluster, topic: name, key: keySerde = bytes as Serde<unknown>, value: valueSerde } = this.#sourceOf(to);
    const topic = inCluster(cluster, name);
    const serdes = { key: keySerde, value: valueSerde };
    const partitions = this.#topics.partitions(topic);
    for (const { key, value, timestamp = nowMs, headers = [], partition } of records) {
      const target = partition ?? (key === undefined ? this.#inTurn++ % partitions : partitionOf(key, keySerde, partitions));
      if (!Number.isInteger(target) || target < 0 || target >= partitions)
        throw new RangeError(
          `topic ${topic} has partitions 0 to ${partitions - 1}, and no ${target}: say more by the option \`partitions\``,
        );
      this.#topics.append(topic, target, { key, value, timestamp, headers }, serdes);
    }
  }

  #sourceOf(to: InputOf): SourceNode {
    const sources = this.#job.nodes.filter((node) => isAt(node, 'source'));
    const found =
      typeof to === 'string'
        ? (sources.find(({ uid }) => uid === to) ?? sources.find(({ topic }) => topic === to))
        : sources.find(({ topic, value, key }) => topic === to.topic && value === to.value && key === to.key);
    if (found !== undefined) return found;
    const known = sources.map(({ uid, topic }) => `${uid} (topic ${topic})`).join(', ');
    throw new JobDefinitionError(
      `the job has no source ${typeof to === 'string' ? to : `of topic ${to.topic} with these serdes`}; it has ${known}`,
    );
  }
}

function partitionOf(key: unknown, serde: Serde<unknown>, partitions: number): number {
  const out = new ByteWriter();
  serde.write(key, out);
  return toPositive(murmur2(out.bytes, 0, out.position)) % partitions;
}
