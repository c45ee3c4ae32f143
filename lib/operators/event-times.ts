import type { RecordSetReader } from '../format/record-set-reader.ts';
import type { EventTimeStrategy } from '../graph/job.ts';
import type { PartitionSeen, SourceTimeAsk } from '../protocol/event-time.ts';
import { BadTimestampError, textOf, UserCodeError } from '../records/errors.ts';

/** A partition that has brought records in this epoch. */
interface Partition {
  readonly topic: string;
  readonly partition: number;
  hasRecords: boolean;
  /** −Infinity: none yet. */
  watermarkMs: number;
}

/** Kafka's word for a record without a timestamp. */
const NO_TIMESTAMP = -1;

/** Gives the records of a source their event time, and knows how far each partition has come with it in this epoch. */
export class EventTimes {
  /** Is the partition that is read far enough ahead of the others? */
  isHeld = false;
  readonly #uid: string;
  readonly #strategy: EventTimeStrategy;
  #partitions: Partition[] = [];
  /** The one that is read. */
  #current: Partition | undefined;
  #mostMs = 0;
  #processingMs = 0;
  #upToMs = 0;

  constructor(uid: string, strategy: EventTimeStrategy) {
    this.#uid = uid;
    this.#strategy = strategy;
  }

  /** Starts an epoch. */
  begin(time: SourceTimeAsk | undefined): void {
    if (time === undefined) throw new Error(`source ${this.#uid} has event time, and the coordinator runs a job in which it has none`);
    this.#partitions = [];
    this.#current = undefined;
    this.#processingMs = time.processingMs;
    this.#mostMs = time.processingMs + this.#strategy.maxAheadMs;
    this.#upToMs = time.upToMs ?? Number.POSITIVE_INFINITY;
    this.isHeld = false;
  }

  /** What follows is of this partition. */
  turnTo(topic: string, partition: number): void {
    let found = this.#partitions.find((each) => each.partition === partition && each.topic === topic);
    if (found === undefined) {
      found = { topic, partition, hasRecords: false, watermarkMs: Number.NEGATIVE_INFINITY };
      this.#partitions.push(found);
    }
    this.#current = found;
    this.isHeld = found.watermarkMs > this.#upToMs;
  }

  /**
   * The time of a value, made of the record at which the reader stands; the partition has come as far as its watermark says. Throws
   * `BadTimestampError`, and `UserCodeError` when a function of the strategy throws or gives what is no time.
   */
  take(value: unknown, { timestamp, offset }: Pick<RecordSetReader, 'timestamp' | 'offset'>): number {
    const { maxOutOfOrdernessMs, watermark } = this.#strategy;
    const current = this.#current as Partition;
    const timeMs = this.#strategy.timestamp === undefined ? timestamp : this.#ask('timestamp', this.#strategy.timestamp, value, timestamp);
    if (!Number.isSafeInteger(timeMs) || (timeMs === NO_TIMESTAMP && this.#strategy.timestamp === undefined) || timeMs > this.#mostMs)
      throw this.#bad(current, offset, timeMs);
    const watermarkMs =
      watermark === undefined
        ? Math.max(timeMs - maxOutOfOrdernessMs - 1, Number.MIN_SAFE_INTEGER)
        : this.#ask('watermark', watermark, value, timeMs, current.watermarkMs);
    if (watermarkMs > this.#mostMs) throw this.#ahead(current, offset, 'the watermark that comes with it', watermarkMs);
    current.hasRecords = true;
    if (watermarkMs > current.watermarkMs) current.watermarkMs = watermarkMs;
    this.isHeld = current.watermarkMs > this.#upToMs;
    return timeMs;
  }

  /** The partitions that have brought records. */
  seen(): PartitionSeen[] {
    return this.#partitions
      .filter(({ hasRecords }) => hasRecords)
      .map(({ topic, partition, watermarkMs }) =>
        watermarkMs === Number.NEGATIVE_INFINITY ? { topic, partition } : { topic, partition, watermarkMs },
      );
  }

  /** @param otherwise what undefined stands for. @default it is an error */
  #ask(what: string, fn: (value: unknown, timestamp: number) => unknown, value: unknown, timestamp: number, otherwise?: number): number {
    let result: unknown;
    try {
      result = fn(value, timestamp) ?? otherwise;
      if (result === otherwise && otherwise !== undefined) return otherwise;
      if (!Number.isSafeInteger(result))
        throw new TypeError(`it gave ${describe(result)}, and must give whole milliseconds since 1970, as a number`);
    } catch (cause) {
      throw new UserCodeError(`${what} of ${this.#uid}`, cause);
    }
    return result as number;
  }

  #bad({ topic, partition }: Partition, offset: number, timeMs: number): BadTimestampError {
    const place = { topic, partition, offset };
    if (timeMs <= this.#mostMs)
      return new BadTimestampError(
        place,
        this.#uid,
        `the record has no timestamp, but ${timeMs}`,
        'Give the eventTime of kafkaSource a `timestamp`',
      );
    return this.#ahead({ topic, partition }, offset, 'its time', timeMs);
  }

  #ahead({ topic, partition }: Pick<Partition, 'topic' | 'partition'>, offset: number, what: string, ms: number): BadTimestampError {
    const reason = `${what}, ${ms}, is ${ms - this.#processingMs} ms ahead of the epoch's processing time ${this.#processingMs}, and eventTime.maxAheadMs of source ${this.#uid} is ${this.#strategy.maxAheadMs}`;
    return new BadTimestampError({ topic, partition, offset }, this.#uid, reason, 'Raise maxAheadMs if that is right');
  }
}

/** So that the text, or the bigint, of a right number does not look like one. */
function describe(result: unknown): string {
  return typeof result === 'number' || result === undefined || result === null ? String(result) : `${typeof result} ${textOf(result)}`;
}
