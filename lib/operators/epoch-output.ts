/** What a stage works with besides the job: the numbers that the coordinator sends with each request. */
export interface StageContext {
  parallelism(stageId: string): number;
  readonly maxParallelism: number;
  /** Partitions of a sink topic. Read at the beginning of each epoch: it may grow. */
  partitions(topic: string): number;
  /** The largest record batch that a sink topic takes. */
  maxBatchBytes(topic: string): number;
}

/**
 * What a stage made of one epoch's input. A payload is given in parts, to be written one behind the other; the parts
 * are views on the runtime's buffers and valid until its next `begin`.
 */
export interface EpochOutput {
  /** By target stage id, then by its subtask (the index): an exchange segment, or undefined when it has no rows. */
  readonly exchanges: ReadonlyMap<string, readonly (Buffer[] | undefined)[]>;
  /** By sink uid: staged output, or undefined when the sink has no records. */
  readonly staged: ReadonlyMap<string, Buffer[] | undefined>;
  readonly recordsIn: number;
  /** Rows of the exchanges and records of the sinks. */
  readonly recordsOut: number;
}

/** The same of a source stage. */
export interface SourceOutput extends EpochOutput {
  /** Records of its input that are in the staged output of the dead-letter sink in place of being processed. */
  readonly deadLetters: number;
  /** The oldest timestamp of its records, in milliseconds since the Unix epoch; undefined when none of them has one. */
  readonly oldestTimestampMs: number | undefined;
}
