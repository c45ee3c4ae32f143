import type { ExchangeReader } from '../format/exchange-reader.ts';
import type { RecordSetReader } from '../format/record-set-reader.ts';
import type { JobNode } from '../graph/job.ts';
import type { nodeKinds } from '../graph/kinds.ts';
import type { KeyGroupRange } from '../protocol/references.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import type { Push } from '../records/push.ts';
import type { StateMemory } from '../state/state-memory.ts';
import type { StateSet } from '../state/state-set.ts';
import type { AsyncCalls } from './async-calls.ts';
import type { BroadcastPlace, OpenBroadcast } from './broadcast-side.ts';
import type { EdgeWriters } from './edge-writers.ts';

/*
 * What a kind of node does at run time: by its place in the graph one of three shapes. Everything is opened when a runtime is made;
 * what runs for each record makes no closure, no promise and no object of its own.
 */

/** Reads a source's records: what `reader` stands at, as a value of the stream. */
export interface SourceKind<N> {
  open(node: N, reader: RecordSetReader): (topic: string, partition: number) => unknown;
}

/** An operator in a chain, or what a chain ends in. */
export interface ChainKind<N> {
  /** Is its value given to a function of the user, which may change it in place? `behind`: it goes on as it is, to what is behind it. */
  readonly givesToUser: (node: N) => boolean | 'behind';
  open(node: N, context: ChainContext): Push;
}

export interface ChainContext {
  /** What the operator is in errors. */
  readonly label: string;
  readonly current: CurrentRecord;
  readonly edges: EdgeWriters;
  /** What waits for functions that do not answer at once. */
  readonly calls: AsyncCalls;
  /** What is behind it in the stage, as one function. */
  next(): Push;
}

/** An operator behind a keyBy. */
export interface KeyedKind<N> {
  open(node: N, context: KeyedPlace): OpenKeyed;
}

/** Where a keyed operator runs. */
export interface KeyedPlace extends BroadcastPlace {
  /** Of its subtask. */
  readonly keyGroups: KeyGroupRange;
  /** What the state of the subtask may take. Undefined: there is no bound. */
  readonly memory: StateMemory | undefined;
  /** What is behind it in the stage, as one function. */
  next(): Push;
  /** What takes what it gives aside. */
  side(tag: string): Push;
}

/** Takes a row of a segment: its key's index in the segment, and its value. */
export type TakeRow = (index: number, value: unknown) => void;

export interface OpenKeyed {
  readonly uid: string;
  readonly state: StateSet;
  /** By the node's inputs by key. */
  readonly inputs: readonly TakeRow[];
  /** What it does with its inputs that are broadcast. Undefined: it has none. */
  readonly broadcast?: OpenBroadcast | undefined;
  /** Finds the state of every key of the segment, once for each key rather than for each row. */
  meet(reader: ExchangeReader): void;
  /** The rows are done with: what their handles gave out is taken back. */
  takeBack(): void;
  /** No row is worked on, whatever has happened: its handles are of no use. */
  leave(): void;
  /**
   * All rows of the epoch are done with, and the watermark is that of its end: does what waits for that, and takes back. Answers whether
   * there was anything. What fails is a `TimerError`.
   */
  endEpoch?(): boolean;
}

interface ShapeAt<N> {
  readonly source: SourceKind<N>;
  readonly chain: ChainKind<N>;
  readonly exchange: ChainKind<N>;
  readonly broadcast: ChainKind<N>;
  readonly sink: ChainKind<N>;
  readonly keyed: KeyedKind<N>;
  readonly side: ChainKind<N>;
}

/** All kinds: one that is not handled, or not as its place asks, does not compile. */
export type OperatorKinds = {
  readonly [K in JobNode['kind']]: ShapeAt<Extract<JobNode, { kind: K }>>[(typeof nodeKinds)[K]['place']];
};
