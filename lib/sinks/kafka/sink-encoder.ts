import { RecordTooLargeError } from '../../format/record-batch-writer.ts';
import { OversizedRecordError, textOf, UserCodeError } from '../../records/errors.ts';
import type { Push } from '../../records/push.ts';
import type { EncoderContext, RecordSink } from '../kind.ts';
import { kafkaFacts, type TopicFacts } from './facts.ts';
import type { KafkaSinkSpec } from './spec.ts';
import { encodeStagedOutput } from './staged-output.ts';
import { TopicEncoder } from './topic-encoder.ts';

/** Encodes what one sink writes in an epoch: of each of its topics record batches by partition. */
export class SinkEncoder implements RecordSink {
  readonly #sink: string;
  readonly #facts: EncoderContext['facts'];
  readonly #topicOf: KafkaSinkSpec['topicOf'];
  /** In the order of the sink's topics. */
  readonly #topics: readonly TopicEncoder[];
  /** The only topic, where there is one. */
  readonly #first: TopicEncoder;
  /** By the name that the job's code gives. */
  readonly #byName: ReadonlyMap<unknown, TopicEncoder>;
  /** Those that have records in this epoch. The others take no memory. */
  readonly #open = new Set<TopicEncoder>();
  /** Of the topics, in their order. */
  #known: readonly TopicFacts[] = [];

  constructor(spec: KafkaSinkSpec, { sink, facts, current }: EncoderContext) {
    this.#sink = sink;
    this.#facts = facts;
    this.#topicOf = spec.topicOf;
    this.#topics = spec.topics.map((of) => new TopicEncoder(of, spec, current));
    this.#first = this.#topics[0] as TopicEncoder;
    this.#byName = new Map(spec.topics.map(({ name }, index) => [name, this.#topics[index] as TopicEncoder] as const));
  }

  /** Records since `begin`. */
  get records(): number {
    let sum = 0;
    for (const topic of this.#open) sum += topic.records;
    return sum;
  }

  /** Starts an epoch; whatever was not finished is gone. */
  begin(): void {
    this.#open.clear();
    this.#known = kafkaFacts(this.#facts(), this.#sink).topics;
    if (this.#topicOf === undefined) this.#begin(this.#first);
  }

  /** A function by itself: the end of a chain, without another call around it. */
  readonly append: Push = (value) => {
    let to = this.#first;
    try {
      if (this.#topicOf !== undefined) to = this.#topicFor(this.#topicOf(value));
      to.append(value);
    } catch (cause) {
      if (cause instanceof RecordTooLargeError) throw new OversizedRecordError(this.#sink, to.topic, cause);
      throw new UserCodeError(this.#sink, cause);
    }
  };

  /** Staged output in parts: views, valid until the next `begin`. Undefined when there are no records. */
  finish(): Buffer[] | undefined {
    const sections = this.#topics.flatMap((topic) => (this.#open.has(topic) ? topic.finish() : []));
    return sections.length === 0 ? undefined : encodeStagedOutput(sections);
  }

  #topicFor(name: unknown): TopicEncoder {
    const found = this.#byName.get(name);
    if (found === undefined) {
      const names = [...this.#byName.keys()].join(', ');
      throw new TypeError(
        `topic gave ${typeof name === 'string' ? JSON.stringify(name) : textOf(name)}, and \`topics\` of the sink has ${names}: name it there, or give one of these`,
      );
    }
    if (!this.#open.has(found)) this.#begin(found);
    return found;
  }

  #begin(topic: TopicEncoder): void {
    const facts = this.#known[this.#topics.indexOf(topic)];
    if (facts === undefined) throw new Error(`nothing is known of topic ${topic.topic} of sink ${this.#sink}`);
    topic.begin(facts);
    this.#open.add(topic);
  }
}
