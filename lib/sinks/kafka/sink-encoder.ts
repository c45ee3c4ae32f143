import { ByteWriter } from '../../format/byte-writer.ts';
import { compressBatches } from '../../format/compress.ts';
import { murmur2, toPositive } from '../../format/murmur2.ts';
import { RecordBatchWriter, RecordTooLargeError } from '../../format/record-batch-writer.ts';
import type { CurrentRecord } from '../../records/current-record.ts';
import { OversizedRecordError, UserCodeError } from '../../records/errors.ts';
import { type Push, refusePromise } from '../../records/push.ts';
import type { EncoderContext, RecordSink } from '../kind.ts';
import { kafkaFacts } from './facts.ts';
import type { KafkaSinkSpec, OutputRecord } from './spec.ts';
import { encodeStagedOutput, type StagedSection } from './staged-output.ts';

/** Records without any key go to one partition for this many bytes, then to the next: few large batches. */
const STICKY_BYTES = 64 * 1024;

/** Encodes what one sink writes in an epoch, as record batches by partition. */
export class SinkEncoder implements RecordSink {
  readonly #sink: string;
  readonly #spec: KafkaSinkSpec;
  readonly #facts: EncoderContext['facts'];
  readonly #current: CurrentRecord;
  readonly #writers: RecordBatchWriter[] = [];
  readonly #keyBytes = new ByteWriter(256);
  #maxBatchBytes = 0;
  #partitions = 0;
  #stickyPartition = 0;
  #stickyUntilBytes = STICKY_BYTES;

  constructor(spec: KafkaSinkSpec, { sink, facts, current }: EncoderContext) {
    this.#sink = sink;
    this.#spec = spec;
    this.#facts = facts;
    this.#current = current;
  }

  /** Records since `begin`. */
  get records(): number {
    let sum = 0;
    for (const writer of this.#writers) sum += writer.records;
    return sum;
  }

  /** Starts an epoch; whatever was not finished is gone. */
  begin(): void {
    const { partitions, maxBatchBytes } = kafkaFacts(this.#facts(), this.#sink);
    this.#partitions = partitions;
    if (maxBatchBytes !== this.#maxBatchBytes) this.#writers.length = 0;
    this.#maxBatchBytes = maxBatchBytes;
    while (this.#writers.length < this.#partitions) this.#writers.push(new RecordBatchWriter({ maxBatchBytes }));
    for (const writer of this.#writers) writer.reset();
    this.#nextSticky();
  }

  /** A function by itself: the end of a chain, without another call around it. */
  readonly append: Push = (value) => {
    const { topic, toRecord } = this.#spec;
    try {
      if (toRecord === undefined) this.#appendValue(value);
      else this.#appendRecord(toRecord(value));
    } catch (cause) {
      if (cause instanceof RecordTooLargeError) throw new OversizedRecordError(this.#sink, topic, cause);
      throw new UserCodeError(this.#sink, cause);
    }
  };

  /** Staged output in parts: views, valid until the next `begin`. Undefined when there are no records. */
  finish(): Buffer[] | undefined {
    const { topic, compression = 'none' } = this.#spec;
    const compressed = (batches: Buffer) => (compression === 'none' ? batches : compressBatches(batches, compression));
    const sections = this.#writers.flatMap((writer, partition): StagedSection[] =>
      writer.records === 0 ? [] : [{ topic, partition, batches: compressed(writer.finish()) }],
    );
    return sections.length === 0 ? undefined : encodeStagedOutput(sections);
  }

  #appendValue(value: unknown): void {
    const { value: serde, topic } = this.#spec;
    if (value === undefined)
      throw new TypeError(
        `undefined has no encoding; a record without a value for topic ${topic} is written by toRecord: () => ({ value: undefined, … })`,
      );
    this.#writer(this.#streamPartition()).append(this.#current.timestamp, undefined, undefined, value, serde);
  }

  #appendRecord(record: OutputRecord<unknown, unknown>): void {
    const { key: keySerde, value: valueSerde, topic } = this.#spec;
    refusePromise(record);
    const { key, value, headers, timestamp, partition } = record;
    if (key !== undefined && keySerde === undefined)
      throw new TypeError('toRecord gave a key, and the sink has no serde for keys: give kafkaSink a `key`');
    let to: number;
    if (partition !== undefined) {
      if (!Number.isInteger(partition) || partition < 0 || partition >= this.#partitions) {
        throw new RangeError(`toRecord gave partition ${partition}, and topic ${topic} has partitions 0 to ${this.#partitions - 1}`);
      }
      to = partition;
    } else {
      to = key === undefined ? this.#streamPartition() : toPositive(this.#hashOf(key)) % this.#partitions;
    }
    this.#writer(to).append(timestamp ?? this.#current.timestamp, key, keySerde, value, valueSerde, headers);
  }

  /** Where a record without a key of its own goes: by the stream's key, or to the sticky partition. */
  #streamPartition(): number {
    const current = this.#current;
    if (current.keySerde !== undefined) return toPositive(current.keyHash) % this.#partitions;
    if (this.#writer(this.#stickyPartition).bytes >= this.#stickyUntilBytes) this.#nextSticky();
    return this.#stickyPartition;
  }

  #nextSticky(): void {
    this.#stickyPartition = (this.#stickyPartition + 1) % this.#partitions;
    this.#stickyUntilBytes = this.#writer(this.#stickyPartition).bytes + STICKY_BYTES;
  }

  #hashOf(key: unknown): number {
    const { key: serde } = this.#spec;
    const current = this.#current;
    // An object may have been changed since the stream's key was hashed.
    if (typeof key !== 'object' && key === current.key && serde === current.keySerde) return current.keyHash;
    const out = this.#keyBytes;
    out.reset();
    serde?.write(key, out);
    return murmur2(out.bytes, 0, out.position);
  }

  #writer(partition: number): RecordBatchWriter {
    return this.#writers[partition] as RecordBatchWriter;
  }
}
