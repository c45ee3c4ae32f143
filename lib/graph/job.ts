import type { StartingOffsets } from '../config/starting-offsets.ts';
import type { RecordHeader } from '../format/record-header.ts';
import type { Serde } from '../format/serde.ts';
import type { SinkSpec } from '../sinks/kinds.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { TimeDomain } from '../state/columns/timers.ts';
import type { WindowFold, WindowProcess, WindowShape } from './windows.ts';

/**
 * A job as its author wrote it: a list of nodes, each behind its input (inputs come first). The nodes hold the user's
 * functions, so a job is not serialisable; `describeGraph` makes what is.
 */
export interface JobDefinition {
  /** As `defineJob` was given it. */
  readonly name: string;
  /** Sources, operators and sinks, inputs first. */
  readonly nodes: readonly JobNode[];
}

/** A node that reads the values of others. */
export type ConsumerNode = Exclude<JobNode, SourceNode>;

export type JobNode =
  | SourceNode
  | MapNode
  | FilterNode
  | FlatMapNode
  | MapAsyncNode
  | UnionNode
  | StampNode
  | KeyByNode
  | BroadcastNode
  | ProcessNode
  | WindowNode
  | SideOutputNode
  | SinkNode;

/** A Kafka record as a source's `select` sees it. */
export interface SourceRecord<K, V> {
  /** Undefined when the record has no key. */
  readonly key: K | undefined;
  /** Undefined when the record has no value (a tombstone). */
  readonly value: V | undefined;
  /** In their order; a key may occur more than once. */
  readonly headers: readonly RecordHeader[];
  /**
   * Milliseconds since the Unix epoch, or what the producer took for them: Kafka holds any 64 bits, also negative ones.
   * Rounded beyond ±2^53.
   */
  readonly timestamp: number;
  /** Of the source. */
  readonly topic: string;
  /** Of the topic, from 0. */
  readonly partition: number;
  /** In its partition: a whole number that names the record there. */
  readonly offset: number;
}

/**
 * Where a keyed operator sends its results, while it works on a record: later it throws, and the attempt fails.
 *
 * @example
 * const tell = (out: Output<string>, word: string, times: number) => out.emit(`${word}: ${times}`);
 */
export interface Output<T = never> {
  /** Passes `value` on; what is behind gets a copy of an object. Its timestamp is that of the input record. */
  emit(value: T): void;
}

/** Of an operator that gives nothing aside. */
export type NoSideOutputs = Readonly<Record<never, never>>;

/**
 * The record, or the timer, that a keyed operator is working on. The same object for all of them: read outside of its record it throws.
 * Watermark and processing time are those of epochs; an operator of a job that does not use time says `usesTime` to read them.
 */
export interface KeyedContext<K, Sides = NoSideOutputs> {
  /** Of the record, or of the timer. */
  readonly key: K;
  /** Timestamp of the input record, or the time of the timer, in milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /**
   * How far event time has come: a record that is not later than this is late. While records are worked on it is that of the end of the
   * epoch before; in `onTimer` that of the end of this one. −Infinity: it has not begun. With `inTimeOrder` it is that of the record or the
   * timer: all that is earlier has been given.
   */
  readonly watermarkMs: number;
  /** The processing time of the epoch, in milliseconds since the Unix epoch: the same for all of it, whenever it is tried. */
  readonly processingTimeMs: number;
  /** Of the key. An operator that sets any has an `onTimer`. */
  readonly timers: Timers;
  /** By the names that the operator declares: where it emits what it gives aside. What nobody reads is dropped. */
  readonly sideOutputs: Sides;
}

/**
 * Sets and deletes timers of the current key, in milliseconds since the Unix epoch. There is one for each key, domain and time: setting
 * it again is setting it once. A timer fires at the end of the first epoch in which its time has come, one of the past at the end of this
 * one. All throw `TypeError` for what are no whole milliseconds.
 *
 * @example
 * const inAMinute = ({ timers, timestamp }: KeyedContext<string>) => timers.setEventTime(timestamp + 60_000);
 */
export interface Timers {
  /** Fires when the watermark has come to this time. */
  setEventTime(timeMs: number): void;
  /** Deletes the timer of event time that was set for this time. There may be none. */
  deleteEventTime(timeMs: number): void;
  /** Fires when the processing time has come to this time. */
  setProcessingTime(timeMs: number): void;
  /** Deletes the timer of processing time that was set for this time. There may be none. */
  deleteProcessingTime(timeMs: number): void;
}

/** The record of a broadcast stream that an operator is working on. Read outside of its record it throws. */
export interface BroadcastContext {
  /** Timestamp of the record, in milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** As `KeyedContext` has it. */
  readonly watermarkMs: number;
  /** As `KeyedContext` has it. */
  readonly processingTimeMs: number;
}

/** A timer that fires. */
export interface Timer {
  /** By which time it fires: `event` or `processing`. */
  readonly domain: TimeDomain;
  /** For which it was set. */
  readonly timeMs: number;
}

interface Node {
  /** The index in `JobDefinition.nodes`. */
  readonly id: number;
}

interface Consumer extends Node {
  /** The nodes whose values it reads. */
  readonly inputs: readonly number[];
}

/** What keeps something under its uid. */
interface Renamable {
  readonly uid: string;
  /** Uids that it had in earlier builds: what is kept under one of them is its. Undefined: it had no other. */
  readonly formerly?: readonly string[];
}

export interface SourceNode extends Node, Renamable {
  readonly kind: 'source';
  /** By name. Undefined: the one of ONCEFLOW_BROKERS. */
  readonly cluster?: string | undefined;
  readonly topic: string;
  readonly startingOffsets: StartingOffsets;
  /** Undefined: keys are handed to `select` as bytes. */
  readonly key: Serde<unknown> | undefined;
  readonly value: Serde<unknown>;
  readonly select: ((record: SourceRecord<unknown, unknown>) => unknown) | undefined;
  /** Undefined: its records have no event time. */
  readonly eventTime: EventTimeStrategy | undefined;
}

/** How the records of a source get their event time, and how it goes on with them. */
export interface EventTimeStrategy {
  /** Undefined: the record's. */
  readonly timestamp: ((value: unknown, recordTimestamp: number) => unknown) | undefined;
  readonly maxOutOfOrdernessMs: number;
  /** In place of one that is `maxOutOfOrdernessMs` behind. */
  readonly watermark: ((value: unknown, timestamp: number) => unknown) | undefined;
  /** Undefined: a partition is never idle. */
  readonly idleAfterMs: number | undefined;
  /** Undefined: no partition waits for others. */
  readonly alignWithinMs: number | undefined;
  /** Infinity: no record is too far ahead. */
  readonly maxAheadMs: number;
}

export interface MapNode extends Consumer {
  readonly kind: 'map';
  readonly fn: (value: unknown) => unknown;
}

export interface FilterNode extends Consumer {
  readonly kind: 'filter';
  readonly fn: (value: unknown) => unknown;
}

export interface FlatMapNode extends Consumer {
  readonly kind: 'flatMap';
  readonly fn: (value: unknown) => unknown;
}

/** One that is waited for. */
export interface AsyncCall {
  /** Aborts when its answer is of no use any more: it took too long, or the epoch has failed. */
  readonly signal: AbortSignal;
}

export interface MapAsyncNode extends Consumer {
  readonly kind: 'mapAsync';
  readonly fn: (value: unknown, call: AsyncCall) => unknown;
  /** So many values are waited for at once. */
  readonly capacity: number;
  /** So long for each of them. */
  readonly timeoutMs: number;
}

/** The values of several streams as one. */
export interface UnionNode extends Consumer {
  readonly kind: 'union';
}

/** Makes `Stamped` of each value. */
export interface StampNode extends Consumer {
  readonly kind: 'stamp';
}

/** A value with what it passes on to what is made of it. */
export interface Stamped {
  readonly timestamp: number;
  /** Of its stream. Undefined where there is none. */
  readonly key: unknown;
  readonly value: unknown;
}

export interface KeyByNode extends Consumer {
  readonly kind: 'keyBy';
  readonly selector: (value: unknown) => unknown;
  readonly key: Serde<unknown>;
  /** How values cross the exchange. */
  readonly value: Serde<unknown>;
}

/** Brings every value to each subtask of the one operator that reads it. */
export interface BroadcastNode extends Consumer {
  readonly kind: 'broadcast';
  /** How values cross the exchange. */
  readonly value: Serde<unknown>;
}

export type OnRecord = (value: unknown, state: unknown, out: Output, context: KeyedContext<unknown>) => unknown;
export type OnBroadcast = (value: unknown, state: unknown, context: BroadcastContext) => unknown;

/** Its inputs are first those by key, then those that are broadcast. */
export interface ProcessNode extends Consumer, Renamable {
  readonly kind: 'process';
  readonly states: readonly StateDeclaration[];
  /** By its inputs by key. */
  readonly onRecord: readonly OnRecord[];
  /** Undefined: none of its inputs is broadcast. */
  readonly broadcast: BroadcastSide | undefined;
  /** Undefined: it has no timers. With it, `states` has one of the kind `timers`. */
  readonly onTimer: ((timer: Timer, state: unknown, out: Output, context: KeyedContext<unknown>) => unknown) | undefined;
  /** Are its rows given in the order of their times? With it, `states` has one of the kind `waiting`. */
  readonly inTimeOrder: boolean;
  /** The tags of what it gives aside, beside what comes too late. */
  readonly sideOutputs: readonly string[];
  /** By which time it works. `event`: by processing time too. Undefined: by none. */
  readonly time: TimeDomain | undefined;
}

/** What an operator keeps of its broadcast inputs: all its subtasks the same. */
export interface BroadcastSide {
  readonly states: readonly StateDeclaration[];
  /** By its inputs that are broadcast. */
  readonly onRecord: readonly OnBroadcast[];
}

/** Under which name, beside the uids of operators, the state is kept that an operator has of its broadcast inputs. No uid is such a name. */
export function broadcastStateName(uid: string): string {
  return `${uid}.broadcast`;
}

/** Of several inputs `make` is given each value with which of them it is of (`OfInput`). */
export interface WindowNode extends Consumer, Renamable {
  readonly kind: 'window';
  /** Names are `WINDOWS`, and with `process` `VALUES`; all but count windows have timers (lib/operators/kinds/window/states.ts). */
  readonly states: readonly StateDeclaration[];
  readonly shape: WindowShape;
  readonly make: WindowFold | WindowProcess;
  /** So long behind its end a window still takes values. */
  readonly allowedLatenessMs: number;
  /** Undefined: there are no results before a window's end. */
  readonly earlyEveryMs: number | undefined;
  /** By which time windows are cut. Undefined: count windows. */
  readonly time: TimeDomain | undefined;
}

/** What its operator gives aside, under a tag. */
export interface SideOutputNode extends Consumer {
  readonly kind: 'sideOutput';
  readonly tag: string;
}

export interface SinkNode extends Consumer {
  readonly kind: 'sink';
  readonly uid: string;
  /** Where to, and how values are written there. */
  readonly to: SinkSpec;
}

/** A job is not well-formed, or an override does not fit it. Nothing has run yet. */
export class JobDefinitionError extends Error {
  override readonly name = 'JobDefinitionError';
}

/** The node's uid, or what it is and where, for error messages: `flatMap behind read-lines`. */
export function nodeLabel(job: JobDefinition, node: JobNode): string {
  if ('uid' in node) return node.uid;
  let upstream: JobNode | undefined = firstInput(job, node);
  while (upstream !== undefined && !('uid' in upstream)) upstream = firstInput(job, upstream);
  return `${node.kind} (node ${node.id}) behind ${upstream?.uid}`;
}

function firstInput(job: JobDefinition, { inputs: [first] }: ConsumerNode): JobNode | undefined {
  return first === undefined ? undefined : job.nodes[first];
}

/** The nodes that read `id`'s values, in the order in which they were defined. */
export function consumersOf(job: JobDefinition, id: number): readonly ConsumerNode[] {
  return job.nodes.filter((node): node is ConsumerNode => node.kind !== 'source' && node.inputs.includes(id));
}
