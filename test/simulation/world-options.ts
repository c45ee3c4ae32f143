import type { StartingOffsets } from '../../lib/config/starting-offsets.ts';
import type { Subtasks } from '../../lib/config/subtasks.ts';
import type { CoordinatorEnd, JobSettings } from '../../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { Standby } from '../../lib/epoch/start/revival.ts';
import type { SinkSettings } from '../../lib/sinks/connectors.ts';
import type { DeliveryGuarantee } from '../../lib/sinks/kind.ts';
import type { Violation } from './checker/checker.ts';
import type { Command } from './commands.ts';
import type { Call, Faults } from './kernel/faults.ts';
import type { Injected } from './kernel/network.ts';
import type { TopicChange } from './models/topic-changes.ts';
import type { SavepointAct } from './savepoints.ts';
import type { SimJob } from './sim-job.ts';
import type { World } from './world.ts';

/** Records that appear in the input while the job runs. */
export interface InputBatch {
  readonly atMs: number;
  /** @default INPUT */
  readonly topic?: string;
  readonly partition: number;
  readonly lines: readonly string[];
  /** Written by a producer without transactions, or in a transaction that ends so. */
  readonly how: 'plain' | 'commit' | 'abort';
  readonly endsAfterMs: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly job: SimJob;
  readonly inputPartitions: number;
  readonly outputPartitions: number;
  readonly input: readonly InputBatch[];
  readonly startingOffsets: StartingOffsets;
  /** Of the epochs that the n-th coordinator (from 1) decides. @default 'exactly-once' */
  readonly delivery?: (coordinator: number) => DeliveryGuarantee;
  readonly settings: Partial<JobSettings & Pick<SinkSettings, 'transactionTimeoutMs'>>;
  /** Bytes up to which a blob travels inside its reference. */
  readonly inlineBlobBytes: number;
  /** What the keyed state of an operator subtask may take. @default no bound */
  readonly stateMemoryBytes?: number | undefined;
  /** Chance of a call of the disk on which state is that does not fit in memory to fail, while there are faults. @default 0 */
  readonly diskFails?: number;
  /** Parallelism of every stage for the n-th coordinator (from 1). */
  readonly parallelism: (coordinator: number) => Readonly<Record<string, Subtasks>>;
  /** When people ask for other numbers of subtasks, within the bounds. @default nobody does */
  readonly rescales?: readonly { readonly atMs: number; readonly subtasks: Readonly<Record<string, number>> }[];
  /** One invocation at a time in a function's process (Lambda), or any number (processes on one machine). */
  readonly oneAtATime: boolean;
  /** Is each start of a coordinator delivered twice, under one name? @default false */
  readonly startsTwice?: boolean;
  /** How far the wall clock of a new process is from the true time at most, ahead or behind. */
  readonly clockSkewMs: number;
  /** How much the wall clock of a process gains or loses in a millisecond at most. @default 0 */
  readonly clockDrift?: number;
  /** How far a process's clock moves on each time it is looked at, and half of what its timers go off too early. @default 0 */
  readonly lookMs?: number;
  readonly markerDelayMs: readonly [number, number];
  /** How likely the broker forgets the end of a transaction in one of its partitions, while there are faults (KAFKA-20734). @default 0 */
  readonly forgottenEnds?: number;
  /** When a partition loses its leader, and for how long. What ends meanwhile is forgotten there. @default never */
  readonly leaderless?: readonly { readonly atMs: number; readonly topic: string; readonly partition: number; readonly forMs: number }[];
  /** Transactions of other producers in the sinks' topics. @default none */
  readonly strangers?: readonly InputBatch[];
  /** When the broker forgets transactional ids and producers that have nothing open. @default never */
  readonly expireAtMs?: readonly number[];
  /**
   * Whether ends are forgotten under producer ids that are replaced since. What is open then no client can end, and the job must
   * say it: topic, partition and producer id in one event. @default false
   */
  readonly strands?: boolean;
  /** How long it takes until readers are given what was appended, by others and by the ends of transactions: from, to. @default no time */
  readonly replicationMs?: readonly [number, number] | undefined;
  /** When the right to write files is taken away; somebody gives it back when the job has stopped for it. @default never */
  readonly filesDeniedAtMs?: readonly number[];
  /** What is done to topics, and when. @default nothing */
  readonly topicChanges?: readonly { readonly atMs: number; readonly change: TopicChange }[];
  /** What is done to a topic at the moment of a call, while there are faults. @default nothing */
  readonly topicChangeAt?: ((call: Call) => TopicChange | undefined) | undefined;
  /** Whether somebody ends the upload of a file just before it is completed. @default never */
  readonly endsUploadAt?: ((call: Call) => boolean) | undefined;
  /** What people do with savepoints. @default nothing */
  readonly savepoints?: readonly SavepointAct[];
  /** Whoever starts the job from a savepoint tries it again when its coordinator dies, as a local runner does. @default false */
  readonly triesStartsAgain?: boolean;
  readonly maxProducerEpoch: number;
  readonly fetchBytes: number;
  readonly tokenLifetimeMs: number;
  /** How long a job that somebody stopped, cancelled or deleted is left alone before it is started again: from, to. */
  readonly leftAloneMs?: readonly [number, number];
  /** When build b is deployed and started; faults may do it, too. */
  readonly updateAtMs?: number | undefined;
  readonly faults: Faults;
  /** From then on no fault is injected; what was injected before may last. */
  readonly faultsUntilMs: number;
  /** Whether the job is stopped as soon as it has caught up, or only when nothing is open any more. */
  readonly ending: 'stop' | 'wait';
  /**
   * Who starts a coordinator when none is at work: somebody at once, or ticks of a schedule, as in a deployment, which leave a
   * held job alone or wait for their turn.
   */
  readonly watch?: { readonly how: 'explicit' } | { readonly how: 'revival'; readonly everyMs: number; readonly standby: Standby };
  readonly history: boolean;
  /** What the author's functions do wrong. @default nothing */
  readonly userCode?: UserCodeOptions;
  /** Failures of the job that are right in this world. */
  readonly mayFail?: RegExp;
  /** Scenarios: called when the world stands, before anything runs. */
  readonly prepare?: (world: World) => void;
}

export interface UserCodeOptions {
  /** Chance of any call to throw, while there are faults. */
  readonly chance: number;
  /** Does the n-th coordinator (from 1) leave poison out, or stop for it? */
  readonly leavesOut: (coordinator: number) => boolean;
}

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly injected: readonly Injected[];
  readonly history: readonly string[];
  readonly events: number;
  readonly epochs: number;
  /** Manifests that were too large for a row of the table. */
  readonly manifestsInBlobs: number;
  /** Records that were sent again by an epoch that was decided at least once. */
  readonly repeated: number;
  /** Ends of transactions that the broker forgot in a partition. */
  readonly forgotten: number;
  /** What else happened to the broker. */
  readonly brokerFaults: Readonly<Record<string, number>>;
  /** What failed on the disks of functions. */
  readonly diskFaults: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly observed: readonly CoordinatorEvent[];
  readonly ends: readonly CoordinatorEnd[];
  readonly commands: readonly CommandEnd[];
  /** What came of what people did with savepoints. */
  readonly savepoints: readonly string[];
  /** Incarnations in which the job decided something. */
  readonly lives: number;
}

/** How a command ended: its own word, or why it gave up. */
export interface CommandEnd {
  readonly command: Command;
  readonly outcome: string;
}
