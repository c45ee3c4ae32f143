import type { WindowShape } from '../../../lib/graph/windows.ts';

/*
 * What is run through Onceflow's operators and through Flink's. Times are milliseconds.
 */

/** An epoch: values, then the watermark, then processing time. */
export interface Round<R> {
  readonly rows: readonly R[];
  /** Undefined: that of the round before; at first there is none. */
  readonly watermarkMs?: number | undefined;
  readonly processingMs: number;
  /** Ours goes on with so many subtasks, from snapshots. Undefined: in the same ones. */
  readonly parallelism?: number | undefined;
}

export interface KeyedRow {
  readonly k: string;
  readonly t: number;
}

/** The numbers of its values, in order of arrival through all rounds, are what a window has. */
export interface WindowsCase {
  readonly kind: 'windows';
  /** Flink's DataStream has no cumulating ones. */
  readonly shape: Exclude<WindowShape, { readonly kind: 'cumulating' }>;
  readonly time: 'event' | 'processing';
  readonly allowedLatenessMs: number;
  readonly make: 'process' | 'aggregate' | 'aggregate without merge' | 'reduce';
  readonly rounds: readonly Round<KeyedRow>[];
}

/** An operator that does with timers what lists say. */
export interface TimersCase extends Programs {
  readonly kind: 'timers';
  readonly inTimeOrder: boolean;
  readonly rounds: readonly Round<KeyedRow & { /** Which of `onRecord`. */ readonly v: number }>[];
}

export interface Programs {
  readonly onRecord: readonly (readonly TimerAction[])[];
  readonly onTimer: readonly TimerRule[];
}

export interface TimerAction {
  readonly do: 'set' | 'delete';
  readonly domain: 'event' | 'processing';
  /** Behind the time of the record, or of the timer. May be negative. */
  readonly afterMs: number;
}

/** What timers do that are of this domain, and whose time leaves this rest. */
export interface TimerRule {
  readonly domain: 'event' | 'processing';
  readonly modulo: number;
  readonly rest: number;
  /** When the key's records and timers before were not more: it ends. */
  readonly upTo: number;
  readonly actions: readonly TimerAction[];
}

export type Case = WindowsCase | TimersCase;

/** What an operator gives, or what came too late for it. */
export interface Given {
  readonly key: string;
  /** Undefined: Flink gives it none, or one that means nothing. */
  readonly timestamp?: number | undefined;
  /** Undefined: not of windows of time. */
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
  /** The number of a late row. Undefined: it is a result. */
  readonly late?: number | undefined;
  /** Undefined: of a late row. */
  readonly value?: unknown;
}

/** For each round what was given. */
export type Rounds = readonly (readonly Given[])[];

/** What FlinkCases.java reads. */
export interface FlinkCase {
  readonly operator: object;
  readonly steps: readonly FlinkStep[];
}

export type FlinkStep =
  | { readonly row: KeyedRow & { readonly v: number } }
  | { readonly watermark: number }
  | { readonly processingTime: number };

/** What it gives at a step. A result of timers has other fields than one of windows. */
export interface FlinkOutput {
  readonly key: string;
  readonly late?: number;
  readonly timestamp?: number;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly value?: unknown;
}

/** For each step what it gave. */
export type FlinkAnswer = readonly (readonly FlinkOutput[])[];

/** A case with what Flink gives to it. */
export interface KeptCase {
  readonly asked: Case;
  readonly answer: FlinkAnswer;
}
