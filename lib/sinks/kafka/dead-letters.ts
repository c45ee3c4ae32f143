import { compressBatch } from '../../format/compress.ts';
import { murmur2, toPositive } from '../../format/murmur2.ts';
import { RecordBatchWriter, RecordTooLargeError } from '../../format/record-batch-writer.ts';
import type { RecordHeader } from '../../format/record-header.ts';
import type { RecordSetReader } from '../../format/record-set-reader.ts';
import { bytes } from '../../format/serdes.ts';
import type { DeadLetterReason, RecordPlace } from '../../protocol/requests.ts';
import type { Own } from '../../protocol/shape.ts';
import { DeadLetterTooLargeError, shortened } from '../../records/errors.ts';
import { kafkaFacts, type TopicFacts } from './facts.ts';
import type { KafkaTarget } from './spec.ts';
import { encodeStagedOutput, type StagedSection } from './staged-output.ts';

/** What an epoch's dead letters say of where they come from. */
export interface DeadLetterOrigin {
  readonly job: string;
  readonly epoch: number;
  /** The time of the letter where the record's is one that a topic may refuse. */
  readonly nowMs: number;
}

/** What begins the names of the headers that a letter has besides those of its record. They stand behind those, and `job` is the first. */
export const LETTER_HEADER = 'onceflow.';

/** A dead letter must fit where the record fitted, and a stack can be long. */
interface Bounds {
  readonly messageChars: number;
  readonly stackChars: number;
}

const FULL: Bounds = { messageChars: 1_000, stackChars: 4_000 };
const BRIEF: Bounds = { messageChars: 100, stackChars: 1 };

/**
 * Encodes records that are left out, as they were: the staged output of the dead-letter sink. It becomes visible by the
 * decision of the epoch that leaves them out, and by nothing else.
 */
export class DeadLetterWriter {
  readonly #topic: string;
  readonly #ask: () => TopicFacts;
  /** Of this epoch. */
  #known: TopicFacts | undefined;
  #origin: DeadLetterOrigin | undefined;
  #writers: RecordBatchWriter[] = [];

  /** @param facts what the connector's other half has learnt of the topic */
  constructor({ topics: [topic] }: KafkaTarget, sink: string, facts: () => Own) {
    // The configuration names one.
    this.#topic = topic as string;
    this.#ask = () => kafkaFacts(facts(), sink).topics[0] as TopicFacts;
  }

  /** Are records that cannot be processed left out in this epoch, or do they stop the job? */
  get isOpen(): boolean {
    return this.#origin !== undefined;
  }

  /** Records since `begin`. */
  records(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.records, 0);
  }

  begin(): void {
    this.#origin = undefined;
    this.#known = undefined;
    this.#writers = [];
  }

  /** Undefined: in this epoch none are left out. */
  open(origin: DeadLetterOrigin | undefined): void {
    this.#origin = origin;
  }

  /** Takes the reader's current record. */
  append(place: RecordPlace, reader: RecordSetReader, reason: DeadLetterReason): void {
    const origin = this.#origin;
    if (origin === undefined) throw new Error(`a dead letter of topic ${place.topic} in an epoch that has no place for any`);
    const key = part(reader.bytes, reader.keyStart, reader.keyEnd);
    const value = part(reader.bytes, reader.valueStart, reader.valueEnd);
    const timestamp = timestampFor(reader, origin.nowMs);
    const headers = reader.rawHeaders();
    const write = (writer: RecordBatchWriter, bounds: Bounds) =>
      writer.append(timestamp, key, bytes, value, bytes, [...headers, ...headersOf(place, reason, origin, reader, bounds)]);
    const writer = this.#writerFor(place, key);
    const isWritten = fits(() => write(writer, FULL)) || fits(() => write(writer, BRIEF));
    if (isWritten) return;
    // A record that came in a compressed batch may be larger than any that is not.
    const { maxBatchBytes } = this.#facts();
    const alone = new RecordBatchWriter({ maxBatchBytes: Number.POSITIVE_INFINITY });
    write(alone, BRIEF);
    const batch = compressBatch(alone.finish(), 'gzip');
    if (batch.length > maxBatchBytes)
      throw new DeadLetterTooLargeError(place, this.#topic, new RecordTooLargeError(batch.length, maxBatchBytes));
    writer.appendBatch(batch, 1);
  }

  finish(): readonly (Buffer[] | undefined)[] {
    const topic = this.#topic;
    const sections = this.#writers.flatMap((writer, partition): StagedSection[] =>
      writer.records === 0 ? [] : [{ topic, partition, batches: writer.finish() }],
    );
    return [sections.length === 0 ? undefined : encodeStagedOutput(sections)];
  }

  #facts(): TopicFacts {
    this.#known ??= this.#ask();
    return this.#known;
  }

  /** By the key as the Java client does, else by the record's own partition: what was in order stays so. */
  #writerFor({ partition }: RecordPlace, key: Uint8Array | undefined): RecordBatchWriter {
    const { partitions, maxBatchBytes } = this.#facts();
    if (this.#writers.length === 0) {
      const options = { maxBatchBytes };
      this.#writers = Array.from({ length: partitions }, () => new RecordBatchWriter(options));
    }
    const to = key === undefined ? partition : toPositive(murmur2(key, 0, key.length));
    return this.#writers[to % partitions] as RecordBatchWriter;
  }
}

/** Topics refuse what lies ahead of the broker's clock by more than `message.timestamp.after.max.ms`, and no letter may wait for that. */
function timestampFor(reader: RecordSetReader, nowMs: number): number {
  return Number.isSafeInteger(reader.timestamp) && reader.timestamp <= nowMs ? reader.timestamp : nowMs;
}

function fits(append: () => void): boolean {
  try {
    append();
    return true;
  } catch (cause) {
    if (cause instanceof RecordTooLargeError) return false;
    throw cause;
  }
}

function part(buffer: Buffer, start: number, end: number): Uint8Array | undefined {
  return start < 0 ? undefined : buffer.subarray(start, end);
}

function headersOf(
  { topic, partition, offset }: RecordPlace,
  reason: DeadLetterReason,
  { job, epoch }: DeadLetterOrigin,
  reader: RecordSetReader,
  { messageChars, stackChars }: Bounds,
): RecordHeader[] {
  const { stage, operator, errorClass, message, stack, attempts } = reason;
  const values = {
    job,
    epoch: `${epoch}`,
    topic,
    partition: `${partition}`,
    offset: `${offset}`,
    timestamp: `${reader.exactTimestamp()}`,
    stage,
    operator,
    attempts: `${attempts}`,
    'error.class': errorClass,
    'error.message': shortened(message, messageChars),
    'error.stack': shortened(stack ?? '', stackChars),
  };
  return Object.entries(values).map(([name, value]) => ({ key: `${LETTER_HEADER}${name}`, value: Buffer.from(value) }));
}
