import type { Edge } from '../plan/plan.ts';

/** What a stage works with besides the job: the numbers that the coordinator sends with each request. */
export interface StageContext {
  parallelism(stageId: string): number;
  readonly maxParallelism: number;
  /** Partitions of a sink topic. Read at the beginning of each epoch: it may grow. */
  partitions(topic: string): number;
  /** The largest record batch that a sink topic takes. */
  maxBatchBytes(topic: string): number;
}

/** What was made for one edge in one epoch. */
export interface EdgeOutput {
  readonly how: Edge['how'];
  /**
   * By subtask of the target (the index), or for a sink one for all; undefined: there is nothing. Each is given in parts, to be
   * written one behind the other; they are views on the runtime's buffers and valid until its next `begin`.
   */
  readonly parts: readonly (Buffer[] | undefined)[];
  readonly records: number;
}

/** What a stage made of one epoch's input. */
export interface EpochOutput {
  /** By edge. */
  readonly edges: ReadonlyMap<string, EdgeOutput>;
  readonly recordsIn: number;
}

/** The same of a source stage. */
export interface SourceOutput extends EpochOutput {
  /** The oldest timestamp of its records, in milliseconds since the Unix epoch; undefined when none of them has one. */
  readonly oldestTimestampMs: number | undefined;
}
