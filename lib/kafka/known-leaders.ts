import { ageMs, type Moment, momentOf } from '../ports/age.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerLink } from './broker-link.ts';
import type { Informants } from './informants.ts';
import type { TopicMetadata } from './metadata-request.ts';

interface Known {
  readonly learned: Moment;
  readonly from: BrokerLink;
  readonly leaders: readonly number[];
}

/** Leader of a partition that has none at the moment, and epoch of one that is not known. */
const NONE = -1;

/** Who leads the partitions of each topic, as far as it is known. What proves wrong or old is forgotten, and who told it is passed over. */
export class KnownLeaders {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #informants: Informants;
  readonly #topics = new Map<string, Known>();
  /** The newest that we have heard of, by topic and partition: they rise with each leader (KIP-320). */
  readonly #epochs = new Map<string, readonly number[]>();
  readonly #ids = new Map<string, string | undefined>();

  constructor(clock: Clock, maxAgeMs: number, informants: Informants) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#informants = informants;
  }

  /** Undefined when they are to be asked for: unknown, too old, or of fewer partitions than `seen`. */
  of(topic: string, seen: number): readonly number[] | undefined {
    const known = this.#topics.get(topic);
    if (known === undefined) return undefined;
    if (known.leaders.length >= seen && ageMs(this.#clock, known.learned) < this.#maxAgeMs) return known.leaders;
    this.forget(topic);
    return undefined;
  }

  /**
   * Is it older than what is known? So is what a broker tells that is cut off from the others, and of a topic that was made anew where
   * topics have no ids. Epochs of topics with different ids say nothing of each other.
   */
  isBehind({ topic, id, partitions }: Pick<TopicMetadata, 'topic' | 'id' | 'partitions'>): boolean {
    const knownId = this.#ids.get(topic);
    if (id !== undefined && knownId !== undefined && id !== knownId) return false;
    const known = this.#epochs.get(topic) ?? [];
    return partitions.some(({ partition, leaderEpoch }) => leaderEpoch < (known[partition] ?? leaderEpoch));
  }

  /** Of what was learned last. */
  idOf(topic: string): string | undefined {
    return this.#ids.get(topic);
  }

  /** The leaders by partition. While one is being elected they are asked for again next time, of another broker. */
  learn(from: BrokerLink, { topic, id, partitions }: TopicMetadata): readonly number[] {
    const leaders = new Array<number>(partitions.length).fill(NONE);
    const epochs = new Array<number>(partitions.length).fill(NONE);
    for (const { partition, leader, leaderEpoch } of partitions) {
      leaders[partition] = leader;
      epochs[partition] = leaderEpoch;
    }
    this.#epochs.set(topic, epochs);
    this.#ids.set(topic, id);
    if (leaders.includes(NONE)) this.#informants.passOver(from);
    else this.#topics.set(topic, { learned: momentOf(this.#clock), from, leaders });
    return leaders;
  }

  forget(topic: string): void {
    const known = this.#topics.get(topic);
    if (known !== undefined) this.#informants.passOver(known.from);
    this.#topics.delete(topic);
  }

  forgetBroker(broker: number): void {
    for (const [topic, { leaders }] of this.#topics) if (leaders.includes(broker)) this.forget(topic);
  }
}
