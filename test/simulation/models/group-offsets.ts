import type { GroupOffset, KafkaAnswer, TopicPartition } from '../../../lib/ports/kafka-requests.ts';

/** The committed offsets of consumer groups, with what is kept beside them. */
export class GroupOffsets {
  /** By group, then topic and partition. */
  readonly #groups = new Map<string, Map<string, number>>();
  /** By group, topic and partition. */
  readonly #metadata = new Map<string, string>();

  fetch(group: string, { topic, partition }: TopicPartition): { answer: KafkaAnswer; offset: number | undefined } {
    return { answer: 'NONE', offset: this.#groups.get(group)?.get(`${topic} ${partition}`) };
  }

  offset(group: string, { topic, partition }: TopicPartition): GroupOffset | undefined {
    const offset = this.#groups.get(group)?.get(`${topic} ${partition}`);
    return offset === undefined ? undefined : { offset, metadata: this.#metadata.get(`${group} ${topic} ${partition}`) ?? '' };
  }

  /** What was kept with the offsets of a group. */
  texts(group: string): string[] {
    return [...this.#metadata].flatMap(([key, text]) => (key.startsWith(`${group} `) ? [text] : []));
  }

  commit(
    group: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: number }[],
    metadata: string,
  ): KafkaAnswer {
    const entries = this.#groups.get(group) ?? new Map<string, number>();
    this.#groups.set(group, entries);
    for (const { partition, offset } of offsets) {
      entries.set(`${topic} ${partition}`, offset);
      this.#metadata.set(`${group} ${topic} ${partition}`, metadata);
    }
    return 'NONE';
  }
}
