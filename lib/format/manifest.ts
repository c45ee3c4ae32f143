/**
 * The manifest: all that is needed to go on after an epoch. It is written once, by the epoch's decision, and never
 * changed. Plain JSON values only.
 */
export interface Manifest {
  readonly version: 1;
  readonly job: string;
  readonly incarnation: string;
  /**
   * How its output is committed, whatever the coordinator is set to that does it.
   * @default 'exactly-once'
   */
  readonly delivery?: DeliveryGuarantee | undefined;
  readonly epoch: number;
  readonly decisionId: string;
  /** Undefined for epoch 0. */
  readonly parentDecisionId: string | undefined;
  /** Next offset to read: by source uid, then topic, then partition (the index). */
  readonly offsets: SourceOffsets;
  /** Snapshots of keyed state after this epoch: by operator uid, one for each subtask. */
  readonly state: Readonly<Record<string, readonly SnapshotRef[]>>;
  /** Staged output of this epoch: by sink uid, then sink subtask (the index). Kept until the epoch is COMMITTED. */
  readonly outputs: Readonly<Record<string, readonly (readonly BlobRef[])[]>>;
  readonly committables: readonly Committable[];
  /** When the first sink stage of this epoch's attempt started: bounds how old its commit markers can be. */
  readonly sinkStartedAtMs: number;
  /** By transactional id: when the sink stage of the epoch that used it before this one started, in this incarnation. */
  readonly previousUseAtMs: Readonly<Record<string, number>>;
}

/**
 * `exactly-once`: sent in transactions that are prepared before the decision and committed after it. `at-least-once`: sent
 * after the decision without a transaction, and again when a crash or a lost answer leaves unknown what was sent.
 */
export type DeliveryGuarantee = 'exactly-once' | 'at-least-once';

export type SourceOffsets = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

/** Where a blob's bytes are: in this reference (small blobs), or in the blob store under `name`. */
export type BlobRef =
  | { readonly at: 'inline'; readonly base64: string }
  | { readonly at: 'store'; readonly name: string; readonly bytes: number };

/** Key groups `first` … `last`, both included. */
export interface KeyGroupRange {
  readonly first: number;
  readonly last: number;
}

/** A subtask's keyed state after an epoch: a base and the deltas since, oldest first. */
export interface SnapshotRef {
  /** Names the content: a warm function that holds state under this id need not load anything. `empty` before any. */
  readonly id: string;
  readonly keyGroups: KeyGroupRange;
  readonly base: BlobRef | undefined;
  readonly deltas: readonly BlobRef[];
}

/** A prepared transaction that any process can commit. */
export interface Committable {
  readonly sink: string;
  readonly subtask: number;
  readonly epoch: number;
  /** Where the output goes, and the topic that the commit marker names. */
  readonly topic: string;
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}
