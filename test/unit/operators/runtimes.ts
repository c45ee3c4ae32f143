import { openBlob, sealBlob } from '../../../lib/format/blob.ts';
import { RecordBatchWriter } from '../../../lib/format/record-batch-writer.ts';
import type { RecordHeader } from '../../../lib/format/record-header.ts';
import { utf8 } from '../../../lib/format/serdes.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import type { CompiledJob } from '../../../lib/operators/compiled-job.ts';
import type { EpochOutput, StageContext } from '../../../lib/operators/epoch-output.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import { decodeStagedOutput } from '../../../lib/sinks/kafka/staged-output.ts';
import { asLog, type PlainRecord, readAll } from '../format/record-sets.ts';

export function compiled(job: JobDefinition, deadLetterTopic?: string): CompiledJob {
  return { job, plan: compilePlan(job, deadLetterTopic) };
}

/** What was made for a stage that the one which made it leads to, by its subtasks; for a sink one for all. */
export function partsTo(output: EpochOutput, stage: string): readonly (Buffer[] | undefined)[] {
  return outputTo(output, stage)?.parts ?? [];
}

export function recordsTo(output: EpochOutput, stage: string): number {
  return outputTo(output, stage)?.records ?? 0;
}

function outputTo({ edges }: EpochOutput, stage: string) {
  return [...edges].find(([id]) => id.includes(`>${stage}.`))?.[1];
}

export function stageContext(
  settings: Partial<{ parallelism: number; maxParallelism: number; partitions: number; maxBatchBytes: number }> = {},
): StageContext {
  const { parallelism = 1, maxParallelism = 128, partitions = 3, maxBatchBytes = 1_000_000 } = settings;
  return { parallelism: () => parallelism, maxParallelism, facts: () => topicFacts({ partitions, maxBatchBytes }) };
}

/** What is known of a sink's topic. */
export function topicFacts({ partitions = 3, maxBatchBytes = 1_000_000 }: Partial<{ partitions: number; maxBatchBytes: number }> = {}) {
  return { topics: [{ topic: 'out', partitions, maxBatchBytes, compacted: false }] };
}

export interface InputRecord {
  readonly key?: string;
  readonly value?: string;
  readonly timestamp?: number;
  readonly headers?: readonly RecordHeader[];
}

/** A fetched record set of these records at offsets from `baseOffset`. */
export function recordSet(records: readonly InputRecord[], baseOffset = 0): Buffer {
  const writer = new RecordBatchWriter({ maxBatchBytes: Math.max(4000, ...records.map(({ value = '' }) => 1000 + value.length)) });
  for (const { key, value, timestamp = 1000, headers } of records) writer.append(timestamp, key, utf8, value, utf8, headers);
  return asLog(Buffer.from(writer.finish()), baseOffset);
}

/** As the operator function reads what the source function wrote. */
export function throughBlob(parts: readonly Buffer[]): Buffer {
  return openBlob('exchange', Buffer.concat(sealBlob('exchange', parts)), 'test');
}

/** What the sink would write, by partition. */
export function stagedRecords(output: EpochOutput, sink: string): Map<number, PlainRecord[]> {
  const [parts] = partsTo(output, sink);
  if (parts === undefined) return new Map();
  const payload = Buffer.concat(parts);
  return new Map(decodeStagedOutput(payload, 'test').map(({ partition, batches }) => [partition, readAll(asLog(batches)).read]));
}

export function stagedValues(output: EpochOutput, sink: string): (string | null)[] {
  return [...stagedRecords(output, sink).values()].flat().map(({ value }) => value);
}
