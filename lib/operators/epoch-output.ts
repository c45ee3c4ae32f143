import type { Edge } from '../plan/plan.ts';
import type { LateByOperator, PartitionSeen } from '../protocol/event-time.ts';
import type { Own } from '../protocol/shape.ts';

/** What a stage works with besides the job: the numbers that the coordinator sends with each request. */
export interface StageContext {
  parallelism(stageId: string): number;
  readonly maxParallelism: number;
  /** What a sink's connector has learnt of where it writes to. Asked for at the beginning of each epoch: it may change. */
  facts(sink: string): Own;
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

/** The same of an operator stage. */
export interface OperatorOutput extends EpochOutput {
  /** Undefined: nothing was late. */
  readonly late: LateByOperator | undefined;
}

/** The same of a source stage. */
export interface SourceOutput extends EpochOutput {
  /** The oldest timestamp of its records, in milliseconds since the Unix epoch; undefined when none of them has one. */
  readonly oldestTimestampMs: number | undefined;
  /** Of a source that has event time: the partitions that brought records. */
  readonly seen: readonly PartitionSeen[] | undefined;
}
