/**
 * The manifest: all that is needed to go on after an epoch. It is written once, by the epoch's decision, and never
 * changed. Plain JSON values only.
 */
export interface Manifest {
  /** 2 since committables hold their evidence; 1 is still read (`parseManifest`). */
  readonly version: 2;
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
  /** Of the topics that these offsets are of: by source uid, then topic. Where there is none, it is not known. */
  readonly topicIds?: TopicIds | undefined;
  /** Snapshots of keyed state after this epoch: by operator uid, one for each subtask. */
  readonly state: Readonly<Record<string, readonly SnapshotRef[]>>;
  /** Staged output of this epoch: by sink uid, then sink subtask (the index). Kept until the epoch is COMMITTED. */
  readonly outputs: Readonly<Record<string, readonly (readonly BlobRef[])[]>>;
  /** One for each sink subtask that had output. */
  readonly committables: readonly Committable[];
}

/**
 * `exactly-once`: sent in transactions that are prepared before the decision and committed after it. `at-least-once`: sent
 * after the decision without a transaction, and again when a crash or a lost answer leaves unknown what was sent.
 */
export type DeliveryGuarantee = 'exactly-once' | 'at-least-once';

export type SourceOffsets = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

export type TopicIds = Readonly<Record<string, Readonly<Record<string, string>>>>;

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

/** A prepared transaction: any process can commit it, and see in the log of its partitions what became of it. */
export interface Committable {
  readonly sink: string;
  readonly subtask: number;
  readonly epoch: number;
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  /** What it wrote; none where `marker` is. */
  readonly written: readonly WrittenRange[];
  /** Of an epoch that a build decided which kept no evidence (manifests of version 1). */
  readonly marker?: CommitMarker | undefined;
}

/** The records of one transaction in one partition: offsets `first` … `last`, with those of other producers in between. */
export interface WrittenRange {
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** What a transaction of a manifest of version 1 has in place of evidence: a group offset that was committed with it. */
export interface CommitMarker {
  /** Where its output went, and the topic that the marker names. */
  readonly topic: string;
  /** When the epoch's sink stage started: its marker is no older. */
  readonly startedAtMs: number;
  /** When the epoch that used the transactional id before did so; undefined: none did. */
  readonly previousUseAtMs?: number | undefined;
}
