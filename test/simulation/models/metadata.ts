import { type KafkaAnswer, KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import type { Broker } from './kafka-broker.ts';

const MAX_AGE_MS = 10_000;

/** What one process knows of who leads what: kept until it is old or proves wrong. To learn it takes no request that may fail. */
export class Metadata {
  readonly #broker: Broker;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { readonly leaders: readonly number[]; readonly id: string | undefined; readonly atMs: number }>();

  /** Does the broker that is asked know less than others, where it may? */
  readonly #asksLate: () => boolean;

  constructor(broker: Broker, nowMs: () => number, asksLate: () => boolean = () => false) {
    this.#asksLate = asksLate;
    this.#broker = broker;
    this.#nowMs = nowMs;
  }

  /** By partition. Throws when there is no such topic. */
  leaders(topic: string, seen = 0): readonly number[] {
    const known = this.#known.get(topic);
    if (known !== undefined && known.leaders.length >= seen && this.#nowMs() - known.atMs < MAX_AGE_MS) return known.leaders;
    const partitions = this.#broker.topics.get(topic);
    if (partitions === undefined) throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} does not exist`, false);
    const mayBeLate = partitions.some(({ leaderOfLate, heardOfMs }) => leaderOfLate !== undefined || heardOfMs > this.#nowMs());
    const isLate = mayBeLate && this.#asksLate();
    const heardOf = isLate ? partitions.filter(({ heardOfMs }) => heardOfMs <= this.#nowMs()) : partitions;
    const leaders = heardOf.map(({ leader, leaderOfLate }) => (isLate ? (leaderOfLate ?? leader) : leader));
    if (!leaders.includes(-1)) this.#known.set(topic, { leaders, id: this.#broker.catalog.idOf(topic), atMs: this.#nowMs() });
    return leaders;
  }

  /** With the leaders, or as it is now. */
  topicId(topic: string, asked: 'as-known' | 'now'): string | undefined {
    if (asked === 'now') this.forget(topic);
    this.leaders(topic);
    return this.#known.get(topic)?.id ?? this.#broker.catalog.idOf(topic);
  }

  forget(topic: string): void {
    this.#known.delete(topic);
  }

  /** After an answer of somebody who was taken for the leader. */
  heard(topic: string, answer: KafkaAnswer): void {
    if (answer !== 'NONE') this.forget(topic);
  }
}
