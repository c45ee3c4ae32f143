import { inCluster } from '../../config/clusters.ts';
import { ByteWriter } from '../../format/byte-writer.ts';
import { type BatchCompression, compressBatches } from '../../format/compress.ts';
import { murmur2, toPositive } from '../../format/murmur2.ts';
import { RecordBatchWriter } from '../../format/record-batch-writer.ts';
import type { CurrentRecord } from '../../records/current-record.ts';
import { refusePromise } from '../../records/push.ts';
import type { TopicFacts } from './facts.ts';
import type { KafkaSinkSpec, OutputRecord, SinkTopic } from './spec.ts';
import type { StagedSection } from './staged-output.ts';

/** Records without any key go to one partition for this many bytes, then to the next: few large batches. */
const STICKY_BYTES = 64 * 1024;

/** Encodes what a sink writes to one topic in an epoch, as record batches by partition. */
export class TopicEncoder {
  readonly topic: string;
  readonly #of: SinkTopic<unknown, unknown>;
  readonly #toRecord: KafkaSinkSpec['toRecord'];
  readonly #compression: 'none' | BatchCompression;
  readonly #current: CurrentRecord;
  readonly #writers: RecordBatchWriter[] = [];
  readonly #keyBytes = new ByteWriter(256);
  #maxBatchBytes = 0;
  #partitions = 0;
  #stickyPartition = 0;
  #stickyUntilBytes = STICKY_BYTES;

  constructor(of: SinkTopic<unknown, unknown>, { cluster, toRecord, compression = 'none' }: KafkaSinkSpec, current: CurrentRecord) {
    this.topic = inCluster(cluster, of.topic);
    this.#of = of;
    this.#toRecord = toRecord;
    this.#compression = compression;
    this.#current = current;
  }

  /** Since `begin`. */
  get records(): number {
    let sum = 0;
    for (const writer of this.#writers) sum += writer.records;
    return sum;
  }

  /** Starts an epoch; whatever was not finished is gone. */
  begin({ partitions, maxBatchBytes }: TopicFacts): void {
    this.#partitions = partitions;
    if (maxBatchBytes !== this.#maxBatchBytes) this.#writers.length = 0;
    this.#maxBatchBytes = maxBatchBytes;
    while (this.#writers.length < this.#partitions) this.#writers.push(new RecordBatchWriter({ maxBatchBytes }));
    for (const writer of this.#writers) writer.reset();
    this.#nextSticky();
  }

  append(value: unknown): void {
    if (this.#toRecord === undefined) this.#appendValue(value);
    else this.#appendRecord(this.#toRecord(value));
  }

  /** Views, valid until the next `begin`. None when there are no records. */
  finish(): StagedSection[] {
    const { topic } = this;
    const compression = this.#compression;
    const compressed = (batches: Buffer) => (compression === 'none' ? batches : compressBatches(batches, compression));
    return this.#writers.flatMap((writer, partition): StagedSection[] =>
      writer.records === 0 ? [] : [{ topic, partition, batches: compressed(writer.finish()) }],
    );
  }

  #appendValue(value: unknown): void {
    if (value === undefined)
      throw new TypeError(
        `undefined has no encoding; a record without a value for topic ${this.topic} is written by toRecord: () => ({ value: undefined, … })`,
      );
    this.#writer(this.#streamPartition()).append(this.#current.timestamp, undefined, undefined, value, this.#of.value);
  }

  #appendRecord(record: OutputRecord<unknown, unknown>): void {
    const { key: keySerde, value: valueSerde } = this.#of;
    refusePromise(record);
    const { key, value, headers, timestamp, partition } = record;
    if (key !== undefined && keySerde === undefined)
      throw new TypeError('toRecord gave a key, and the sink has no serde for keys: give kafkaSink a `key`');
    let to: number;
    if (partition !== undefined) {
      if (!Number.isInteger(partition) || partition < 0 || partition >= this.#partitions) {
        throw new RangeError(`toRecord gave partition ${partition}, and topic ${this.topic} has partitions 0 to ${this.#partitions - 1}`);
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
    const { key: serde } = this.#of;
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
