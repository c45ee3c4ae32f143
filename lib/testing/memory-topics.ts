import { BATCH } from '../format/batch-layout.ts';
import { RecordBatchWriter } from '../format/record-batch-writer.ts';
import type { RecordHeader } from '../format/record-header.ts';
import type { Serde } from '../format/serde.ts';
import { batchesOf, stampPlainBatch } from '../format/stamp-batches.ts';

/** A record as a producer writes it. */
export interface WrittenRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

export interface RecordSerdes {
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
}

interface Batch {
  readonly firstOffset: number;
  readonly bytes: Buffer;
}

interface Log {
  readonly batches: Batch[];
  end: number;
}

const MAX_BATCH_BYTES = 1024 * 1024 * 1024;

/** The topics that sources read, partition by partition, as brokers hold them: record batches. */
export class MemoryTopics {
  readonly #partitionsOf: (topic: string) => number;
  readonly #logs = new Map<string, Log>();

  constructor(partitionsOf: (topic: string) => number) {
    this.#partitionsOf = partitionsOf;
  }

  partitions(topic: string): number {
    return this.#partitionsOf(topic);
  }

  /** The offset of the next record. */
  end(topic: string, partition: number): number {
    return this.#log(topic, partition).end;
  }

  /** Throws what the serdes throw; nothing is written then. */
  append(topic: string, partition: number, record: WrittenRecord, serdes: RecordSerdes): void {
    const writer = new RecordBatchWriter({ maxBatchBytes: MAX_BATCH_BYTES });
    const { key, value, timestamp, headers } = record;
    writer.append(timestamp, key, serdes.key, value, serdes.value, headers);
    const bytes = Buffer.from(writer.finish());
    const log = this.#log(topic, partition);
    for (const { start, end, records } of batchesOf(bytes)) {
      stampPlainBatch(bytes, start, end);
      bytes.writeBigInt64BE(BigInt(log.end), start + BATCH.baseOffset);
      log.batches.push({ firstOffset: log.end, bytes: bytes.subarray(start, end) });
      log.end += records;
    }
  }

  /** The batches that hold this offset and what is behind it: so many bytes, or one batch. */
  from(topic: string, partition: number, offset: number, maxBytes: number): Buffer {
    const { batches } = this.#log(topic, partition);
    const found: Buffer[] = [];
    let bytes = 0;
    // Each batch has one record.
    for (const batch of batches.slice(offset)) {
      if (found.length > 0 && bytes + batch.bytes.length > maxBytes) break;
      found.push(batch.bytes);
      bytes += batch.bytes.length;
    }
    return Buffer.concat(found);
  }

  /** The same records; what is appended to one of them the other does not have. */
  copy(): MemoryTopics {
    const copy = new MemoryTopics(this.#partitionsOf);
    for (const [name, { batches, end }] of this.#logs) copy.#logs.set(name, { batches: [...batches], end });
    return copy;
  }

  #log(topic: string, partition: number): Log {
    const name = `${topic} ${partition}`;
    const log = this.#logs.get(name) ?? { batches: [], end: 0 };
    this.#logs.set(name, log);
    return log;
  }
}
