import { MalformedError } from '../format/serde.ts';

/** A record of a source's topic. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

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

  at(record: RecordPlace): UserCodeError {
    return new UserCodeError(this.operator, this.cause, record);
  }
}

const SHOWN_BYTES = 32;

/** A record's key or value is not what the source's serde reads. Repeating the epoch cannot help. */
export class MalformedRecordError extends Error {
  override readonly name = 'MalformedRecordError';
  readonly record: RecordPlace;
  readonly serde: string;

  constructor(part: 'key' | 'value', record: RecordPlace, source: string, serde: string, bytes: Buffer, cause: unknown) {
    const shown = bytes.subarray(0, SHOWN_BYTES).toString('hex');
    super(
      `${describePlace(record)}: source ${source} cannot read the ${part} with serde ${serde}: ${messageOf(cause)}. It has ${bytes.length} bytes: ${shown}${bytes.length > SHOWN_BYTES ? '…' : ''}. ` +
        'The job stops here and skips nothing. Give the source a serde that reads every record of the topic (read `bytes` and decode in a flatMap that returns [] for what is to be left out), or correct the producer and start a new job behind this offset.',
      { cause },
    );
    this.record = record;
    this.serde = serde;
  }
}

/** A record has no value, and the source does not say what to make of that. Repeating the epoch cannot help. */
export class MissingValueError extends Error {
  override readonly name = 'MissingValueError';
  readonly record: RecordPlace;

  constructor(record: RecordPlace, source: string) {
    super(
      `${describePlace(record)}: the record has no value (a tombstone), and source ${source} has no select function that says what to make of it. Give kafkaSource a \`select\` that handles a value of undefined.`,
    );
    this.record = record;
  }
}

/** A sink's record is larger than its topic takes. Repeating the epoch cannot help. */
export class OversizedRecordError extends Error {
  override readonly name = 'OversizedRecordError';

  constructor(sink: string, topic: string, cause: Error) {
    super(`sink ${sink}, topic ${topic}: ${cause.message}`, { cause });
  }
}

function describePlace({ topic, partition, offset }: RecordPlace): string {
  return `topic ${topic}, partition ${partition}, offset ${offset}`;
}

function messageOf(cause: unknown): string {
  if (cause instanceof MalformedError) return cause.message;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
