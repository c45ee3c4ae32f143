import type { ByteWriter } from './byte-writer.ts';

/** Turns values of one type into bytes and back. Encodings are stable: they are what snapshots and topics hold. */
export interface Serde<T> {
  /** Part of the graph's fingerprint: a state cannot be read back through a serde of another name. */
  readonly name: string;
  /** Appends the encoding of `value`, without a length. Throws `TypeError` when the value has no encoding. */
  write(value: T, out: ByteWriter): void;
  /** Reads the value that `bytes[start, end)` holds. Throws `MalformedError` when they hold none. */
  read(bytes: Buffer, start: number, end: number): T;
  /**
   * Of a serde that has to ask somebody before it writes (a schema registry for its schema's id): asks. It is awaited before each epoch of
   * a stage that the serde is used in, so it does nothing when nothing is missing; when it rejects, the epoch is tried again. What turns
   * out to be missing while records are worked on is said by a `NotPreparedError`.
   */
  prepare?(): Promise<void>;
  /**
   * Of a serde that does at a topic something else than elsewhere: the same, as it is used for that topic's keys or values. It is asked when
   * the job is defined, and again when the configuration gives the source or sink another topic.
   */
  forTopic?(place: TopicPlace): Serde<T>;
  /** What it reads besides: forms in which earlier builds have written values (`versioned`). @default none */
  readonly older?: readonly OlderForm[];
  /** Is it of use in sources and sinks alone, by `forTopic`? Then it is refused in state and behind a keyBy. @default false */
  readonly needsTopic?: boolean;
}

/** A form in which values were written by an earlier build. */
export interface OlderForm {
  /** Of the serde that wrote them. */
  readonly name: string;
  /** Reads such a value, and gives what it is now. Throws when the bytes hold none. */
  read(bytes: Buffer, start: number, end: number): unknown;
}

/** What of which topic a serde is for. */
export interface TopicPlace {
  /** The topic's name. */
  readonly topic: string;
  /** Of its records the keys, or the values. */
  readonly part: 'key' | 'value';
  /** `read`: by a source; `write`: by a sink. */
  readonly use: 'read' | 'write';
}

/** The serde as it is used there. What is no serde is refused elsewhere, and is passed on. */
export function serdeFor<T>(serde: Serde<T>, place: TopicPlace): Serde<T>;
export function serdeFor<T>(serde: Serde<T> | undefined, place: TopicPlace): Serde<T> | undefined;
export function serdeFor<T>(serde: Serde<T> | undefined, place: TopicPlace): Serde<T> | undefined {
  return typeof serde?.forTopic === 'function' ? serde.forTopic(place) : serde;
}
