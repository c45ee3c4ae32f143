import { MalformedError } from '../protocol/malformed.ts';
import type { RecordPlace } from '../protocol/requests.ts';

/** A user's function threw, or gave something that cannot be passed on. The attempt at the epoch fails. */
export class UserCodeError extends Error {
  override readonly name = 'UserCodeError';
  /** The operator's uid, or what it is and where. */
  readonly operator: string;
  /** In source stages: the record that was worked on. */
  readonly record: RecordPlace | undefined;

  constructor(operator: string, cause: unknown, record?: RecordPlace) {
    super(`${operator}${record === undefined ? '' : ` at ${describePlace(record)}`}: ${messageOf(cause)}`, { cause });
    this.operator = operator;
    this.record = record;
  }

  /** The same error, of this record. */
  at(record: RecordPlace): UserCodeError {
    return new UserCodeError(this.operator, this.cause, record);
  }
}

/**
 * What a timer has begun failed: no record can be left out for it. It is tried again until that has lasted, then the job stops and says
 * this.
 */
export class TimerError extends Error {
  override readonly name = 'TimerError';

  /** @param what of which timer, or timers */
  constructor(operator: string, what: string, cause: unknown) {
    super(
      `${operator}, ${what}: ${messageOf(cause)}. What fails when its time has come, a timer or a row that has waited, is no record that could be left out: mend the function, and start the job again.`,
      { cause },
    );
  }
}

const SHOWN_BYTES = 32;

/** What of a record cannot be read, and by what. */
interface MalformedPart {
  readonly part: 'key' | 'value';
  readonly record: RecordPlace;
  readonly source: string;
  readonly serde: string;
  readonly bytes: Buffer;
}

/** A record's key or value is not what the source's serde reads. Repeating the epoch cannot help. */
export class MalformedRecordError extends Error {
  override readonly name = 'MalformedRecordError';
  /** What is wrong, without what to do. */
  readonly reason: string;
  readonly record: RecordPlace;
  readonly source: string;
  readonly serde: string;

  constructor({ part, record, source, serde, bytes }: MalformedPart, cause: unknown) {
    const shown = bytes.subarray(0, SHOWN_BYTES).toString('hex');
    const reason = `source ${source} cannot read the ${part} with serde ${serde}: ${messageOf(cause)}. It has ${bytes.length} bytes: ${shown}${bytes.length > SHOWN_BYTES ? '…' : ''}`;
    super(
      `${describePlace(record)}: ${reason}. The job stops here and skips nothing. Have such records left out (ONCEFLOW_POISON_POLICY=dead-letter), ` +
        'or give the source a serde that reads every record of the topic (read `bytes` and decode in a flatMap that returns [] for what is to be left out), or correct the producer and start a new job behind this offset.',
      { cause },
    );
    this.reason = reason;
    this.record = record;
    this.source = source;
    this.serde = serde;
  }
}

/** A record has no value, and the source does not say what to make of that. Repeating the epoch cannot help. */
export class MissingValueError extends Error {
  override readonly name = 'MissingValueError';
  /** What is wrong, without what to do. */
  readonly reason: string;
  readonly record: RecordPlace;
  readonly source: string;

  constructor(record: RecordPlace, source: string) {
    const reason = `the record has no value (a tombstone), and source ${source} has no select function that says what to make of it`;
    super(
      `${describePlace(record)}: ${reason}. Give kafkaSource a \`select\` that handles a value of undefined, or have such records left out (ONCEFLOW_POISON_POLICY=dead-letter).`,
    );
    this.reason = reason;
    this.record = record;
    this.source = source;
  }
}

/** A record has no time that its source could work by. Repeating the epoch cannot help. */
export class BadTimestampError extends Error {
  override readonly name = 'BadTimestampError';
  /** What is wrong, without what to do. */
  readonly reason: string;
  readonly record: RecordPlace;
  readonly source: string;

  constructor(record: RecordPlace, source: string, reason: string, mend: string) {
    super(
      `${describePlace(record)}: ${reason}. The job stops here and skips nothing. ${mend}, or have such records left out (ONCEFLOW_POISON_POLICY=dead-letter).`,
    );
    this.reason = reason;
    this.record = record;
    this.source = source;
  }
}

/** A sink's record is larger than its topic takes. Repeating the epoch cannot help. */
export class OversizedRecordError extends Error {
  override readonly name = 'OversizedRecordError';
  readonly sink: string;
  /** In source stages: the record that it was made of. */
  readonly record: RecordPlace | undefined;
  readonly #topic: string;

  constructor(sink: string, topic: string, cause: Error, record?: RecordPlace) {
    super(`sink ${sink}, topic ${topic}: ${cause.message}${record === undefined ? '' : ` (made of ${describePlace(record)})`}`, { cause });
    this.sink = sink;
    this.record = record;
    this.#topic = topic;
  }

  at(record: RecordPlace): OversizedRecordError {
    return new OversizedRecordError(this.sink, this.#topic, this.cause as Error, record);
  }
}

/** A record that is to be left out does not fit into the dead-letter topic. */
export class DeadLetterTooLargeError extends Error {
  override readonly name = 'DeadLetterTooLargeError';

  constructor(record: RecordPlace, topic: string, cause: Error) {
    super(`${describePlace(record)} cannot be written to the dead-letter topic ${topic} (ONCEFLOW_DEAD_LETTER_TOPIC): ${cause.message}`, {
      cause,
    });
  }
}

/** Texts of errors have no bound of their own, and what holds them has. Half a character is no text that everything takes. */
export function shortened(text: string, most: number): string {
  return (text.length <= most ? text : `${text.slice(0, most - 1)}…`).toWellFormed();
}

export function describePlace({ topic, partition, offset }: RecordPlace): string {
  return `topic ${topic}, partition ${partition}, offset ${offset}`;
}

/** What was thrown, as text. User code can throw anything, and an error can hold anything. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export function thrownOf(cause: unknown): Thrown {
  if (!(cause instanceof Error)) return { name: 'Error', message: textOf(cause), stack: undefined };
  const { name, message, stack } = propertiesOf(cause);
  return { name: textOf(name), message: textOf(message), stack: stack === undefined ? undefined : textOf(stack) };
}

function propertiesOf(error: Error): { readonly name: unknown; readonly message: unknown; readonly stack: unknown } {
  try {
    const { name, message, stack } = error;
    return { name, message, stack };
  } catch {
    return { name: 'Error', message: 'an error that does not say what it is', stack: undefined };
  }
}

export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function messageOf(cause: unknown): string {
  if (cause instanceof MalformedError) return cause.message;
  const { name, message } = thrownOf(cause);
  return cause instanceof Error ? `${name}: ${message}` : message;
}
