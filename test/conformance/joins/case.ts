import type { WindowShape } from '../../../lib/graph/windows.ts';

/*
 * What is run through Onceflow's joins, tables and rankings, and through those of Flink and Kafka Streams. Times are milliseconds.
 */

/** A row of one of two streams. */
export interface Row {
  readonly k: string;
  readonly t: number;
  /** `l3` or `r3`: of which stream, and the how many-th of it. */
  readonly name: string;
  /** What rankings go by. */
  readonly p: number;
  /** Of a table or of versions: the key has nothing from now on. */
  readonly gone: boolean;
}

/** An epoch: rows of both streams, then the watermark of both, then processing time. */
export interface Round {
  readonly left: readonly Row[];
  readonly right: readonly Row[];
  /** Undefined: that of the round before; at first there is none. */
  readonly watermarkMs?: number | undefined;
  readonly processingMs: number;
  /** Ours goes on with so many subtasks, from snapshots. Undefined: in the same ones. */
  readonly parallelism?: number | undefined;
}

interface Of<Kind extends string> {
  readonly kind: Kind;
  readonly rounds: readonly Round[];
}

export interface IntervalCase extends Of<'interval'> {
  readonly type: 'inner' | 'left';
  readonly lowerBoundMs: number;
  readonly upperBoundMs: number;
}

export interface WindowCase extends Of<'window'> {
  readonly shape: Exclude<WindowShape, { readonly kind: 'cumulating' | 'count' }>;
  readonly allowedLatenessMs: number;
  readonly make: 'join' | 'coGroup';
}

export interface AsOfCase extends Of<'asOf'> {
  readonly type: 'inner' | 'left';
}

export interface TableCase extends Of<'table'> {
  readonly type: 'inner' | 'left';
}

export interface TablesCase extends Of<'tables'> {
  readonly type: 'inner' | 'left' | 'full';
}

export interface DeduplicateCase extends Of<'deduplicate'> {
  /** Undefined: for ever. */
  readonly forMs?: number | undefined;
}

export interface TopCase extends Of<'top'> {
  readonly n: number;
}

/** The right stream is broadcast: what it says of each name is seen by the rows of the left one. */
export type BroadcastCase = Of<'broadcast'>;

export type Case = IntervalCase | WindowCase | AsOfCase | TableCase | TablesCase | DeduplicateCase | TopCase | BroadcastCase;

/** Whom a case is asked of. */
export type Peer = 'Flink' | 'Kafka Streams';

/** Which of them have something that is asked for so. */
export const PEERS: { readonly [Kind in Case['kind']]: readonly Peer[] } = {
  interval: ['Flink', 'Kafka Streams'],
  window: ['Flink'],
  asOf: ['Flink', 'Kafka Streams'],
  table: ['Flink', 'Kafka Streams'],
  tables: ['Kafka Streams'],
  deduplicate: ['Flink'],
  top: ['Flink'],
  broadcast: ['Flink'],
};

/** What a peer is asked: its program reads `{ operator, steps }`, one for each line. */
export interface Question {
  readonly operator: object;
  /** By round. */
  readonly rounds: readonly (readonly Step[])[];
}

export type Step =
  | { readonly left: Row }
  | { readonly right: Row }
  | { readonly watermark: number }
  | { readonly processingTime: number }
  /** For Kafka Streams: much later, for another key. */
  | { readonly close: true };

/** What it gives. */
export interface Output {
  readonly text: string;
  /** Undefined: it has none. */
  readonly timestamp?: number;
}

/** For each step what was given. */
export type Answer = readonly (readonly Output[])[];

/** For each round what Onceflow gives, or should: `a l1 r2 at 7`. */
export type Rounds = readonly (readonly string[])[];

/** A case with what a peer gives to it. */
export interface KeptCase {
  readonly asked: Case;
  readonly peer: Peer;
  readonly answer: Answer;
}
