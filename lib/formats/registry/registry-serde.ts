import type { ByteWriter } from '../../format/byte-writer.ts';
import { NotPreparedError } from '../../format/not-prepared.ts';
import type { Serde, TopicPlace } from '../../format/serde.ts';
import { JobDefinitionError } from '../../graph/job.ts';
import { RegistryProblem } from '../../ports/registry-problem.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import type { SchemaRegistry } from './registry.ts';
import type { OwnSchema, Schema, SchemaId } from './schema.ts';

/** How a format uses a registry. */
export interface RegistryUse {
  /** Where schemas are, as `schemaRegistry` or `glueRegistry` made it. */
  readonly registry: SchemaRegistry;
  /**
   * Under which the schema is that is written. It is needed in state and behind a keyBy.
   * @default by `subjectNames`
   */
  readonly subject?: string;
  /**
   * Confluent's strategies: `topic`: `TOPIC-key` or `TOPIC-value`; `record`: the full name of the schema's record or message;
   * `topic-record`: both, `TOPIC-NAME`.
   * @default 'topic'
   */
  readonly subjectNames?: 'topic' | 'record' | 'topic-record';
  /**
   * Is the schema that is written registered when its subject has it not? Otherwise the job stops when it starts, and says whether it would be
   * compatible.
   * @default true
   */
  readonly register?: boolean;
}

/** A format, as it is behind the id of a schema. */
export interface Codec<T> {
  readonly name: string;
  readonly schema: OwnSchema;
  /** The full name of what the schema describes; undefined: it has none. */
  readonly recordName: string | undefined;
  write(value: T, out: ByteWriter): void;
  /** Reads what was written by this schema. Undefined: what was written by any schema of the format is read by `read`. */
  readonly readerOf?: (written: Schema) => ReadValue<T>;
  readonly read?: ReadValue<T>;
}

/** Throws `MalformedError`. */
export type ReadValue<T> = (bytes: Buffer, start: number, end: number) => T;

/** Values of a format behind the id of the schema with which they were written. */
export class RegistrySerde<T> implements Serde<T> {
  readonly name: string;
  readonly #codec: Codec<T>;
  readonly #use: RegistryUse;
  readonly #place: TopicPlace | undefined;
  /** Of the schema that is written. */
  #id: SchemaId | undefined;
  readonly #readers = new Map<SchemaId, ReadValue<T>>();
  /** Records of one schema come one after the other. */
  #lastId: SchemaId | undefined;
  #lastReader: ReadValue<T> = () => {
    throw new Error('no reader');
  };

  constructor(codec: Codec<T>, use: RegistryUse, place?: TopicPlace) {
    this.name = codec.name;
    this.#codec = codec;
    this.#use = use;
    this.#place = place;
  }

  get needsTopic(): boolean {
    return this.#subject() === undefined;
  }

  forTopic(place: TopicPlace): Serde<T> {
    return new RegistrySerde(this.#codec, this.#use, place);
  }

  async prepare(): Promise<void> {
    if (this.#id === undefined && this.#place?.use !== 'read') await this.#askId();
  }

  write(value: T, out: ByteWriter): void {
    this.#id ??= this.#idNow();
    this.#use.registry.header.write(this.#id, out);
    this.#codec.write(value, out);
  }

  read(bytes: Buffer, start: number, end: number): T {
    const { header } = this.#use.registry;
    const id = header.read(bytes, start, end);
    const { read } = this.#codec;
    if (read !== undefined) return read(bytes, start + header.bytes, end);
    if (id !== this.#lastId) {
      this.#lastReader = this.#readerOf(id);
      this.#lastId = id;
    }
    return this.#lastReader(bytes, start + header.bytes, end);
  }

  #idNow(): SchemaId {
    const { registry } = this.#use;
    const id = registry.idNow?.(this.#subject() ?? '', this.#codec.schema);
    if (id !== undefined) return id;
    throw new NotPreparedError(`${this.name}: the id of the schema is not known yet: ${registry.place} was not asked for it`, () =>
      this.#askId(),
    );
  }

  async #askId(): Promise<void> {
    const { registry, register = true } = this.#use;
    const subject = this.#subject();
    if (subject === undefined)
      throw new RegistryProblem(
        `${this.name}: a schema is found by the topic of a source or sink, and this serde is used elsewhere: give it a \`subject\``,
        false,
      );
    const { schema, readerOf } = this.#codec;
    const id = await registry.idOf(subject, schema, register);
    // What it writes itself, in state and behind a keyBy, it reads without another question.
    if (readerOf !== undefined) this.#readers.set(id, readerOf(schema));
    this.#id = id;
  }

  /** Undefined: it hangs on the topic, and there is none. */
  #subject(): string | undefined {
    const { subject, subjectNames = 'topic', registry } = this.#use;
    if (subject !== undefined) return subject;
    if (subjectNames === 'record') return this.#codec.recordName;
    if (this.#place === undefined) return undefined;
    return subjectNames === 'topic' ? registry.subjectOf(this.#place) : `${this.#place.topic}-${this.#codec.recordName}`;
  }

  #readerOf(id: SchemaId): ReadValue<T> {
    const known = this.#readers.get(id);
    if (known !== undefined) return known;
    const reader = this.#makeReader(id);
    this.#readers.set(id, reader);
    return reader;
  }

  #makeReader(id: SchemaId): ReadValue<T> {
    const { registry } = this.#use;
    const { name, schema, readerOf } = this.#codec;
    const written = registry.known(id);
    if (written === undefined)
      throw new NotPreparedError(`${name}: schema ${id} was not fetched yet from ${registry.place}`, () => registry.fetch(id));
    if (written === 'unknown') throw new MalformedError(`${name}: ${registry.place} has no schema ${id}`);
    if (written.type !== schema.type)
      throw new MalformedError(`${name}: schema ${id} of ${registry.place} is one of ${written.type}, and no ${schema.type}`);
    try {
      return (readerOf as NonNullable<typeof readerOf>)(written);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const refused = `${name}: what was written with schema ${id} of ${registry.place} cannot be read with the schema of this job: ${reason}`;
      return () => {
        throw new MalformedError(refused);
      };
    }
  }
}

const NAMES: readonly unknown[] = ['topic', 'record', 'topic-record'];

/** @throws JobDefinitionError naming the option, its rule and what to do */
export function checkUse(
  format: string,
  { registry, subject, subjectNames = 'topic', register = true }: RegistryUse,
  recordName: string | undefined,
): void {
  const wrong = (option: string, value: unknown, rule: string, mend: string) =>
    new JobDefinitionError(`${format}: ${option} is ${JSON.stringify(value)}, and must be ${rule}: ${mend}`);
  if (typeof registry?.known !== 'function') throw wrong('registry', typeof registry, 'a registry', 'give what schemaRegistry(…) makes');
  if (subject !== undefined && (typeof subject !== 'string' || subject === ''))
    throw wrong('subject', subject, 'a name', 'leave it out to have it made of the topic');
  if (!NAMES.includes(subjectNames)) throw wrong('subjectNames', subjectNames, 'topic, record or topic-record', 'choose one of them');
  if (subject === undefined && subjectNames !== 'topic' && recordName === undefined)
    throw wrong('subjectNames', subjectNames, 'topic where the schema has no name', 'name the schema, or give a `subject`');
  if (typeof register !== 'boolean') throw wrong('register', register, 'true or false', 'leave it out for true');
}
