import type { Subtasks } from '../../config/subtasks.ts';
import type { PhysicalPlan, SinkStage, SourceStage } from '../../plan/plan.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { EpochStore } from '../../ports/epoch-store.ts';
import type { FunctionInvoker } from '../../ports/function-invoker.ts';
import type { AdminRequests, KafkaRequests, SourceRequests } from '../../ports/kafka-requests.ts';
import type { Pool } from '../../protocol/pool.ts';
import type { OnMissingEvidence } from '../../protocol/requests.ts';
import type { Own } from '../../protocol/shape.ts';
import type { SinkCoordination, Sinks } from '../../sinks/connector.ts';
import type { Blobs } from '../../storage/blobs.ts';
import type { RestartStrategy } from '../failure/restart.ts';
import type { OnDataLoss } from '../planning/plan.ts';
import type { CoordinatorEvent } from '../progress/events.ts';
import type { StartKind, Takeover } from '../start/may-start.ts';
import type { StartAt } from '../start/start-at.ts';

/** Where input comes from: what is asked of Kafka besides what sinks ask. */
type CoordinatorKafka = SourceRequests & AdminRequests & Pick<KafkaRequests, 'forgetLeaders'>;

/** Everything outside the coordinator that it works with. */
export interface CoordinatorDeps {
  readonly epochs: EpochStore;
  readonly blobStore: BlobStore;
  readonly blobs: Blobs;
  readonly kafka: CoordinatorKafka;
  readonly sinks: Sinks;
  readonly invoker: FunctionInvoker;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: (event: CoordinatorEvent) => void;
  /** How long a store or a broker may refuse something until that counts. @default 0, as when a person starts the job */
  readonly refusalTimeoutMs?: number;
}

/** The job and its settings: fixed while a coordinator runs. */
export interface JobSettings {
  readonly job: string;
  readonly build: string;
  /** Who this coordinator is, for people: host and process, or the function's request id. */
  readonly holder: string;
  readonly plan: PhysicalPlan;
  readonly fingerprint: string;
  readonly groupId: string;
  /** Are input offsets committed to the group after each epoch, for lag tools? */
  readonly commitOffsets: boolean;
  readonly onDataLoss: OnDataLoss;
  /** What output counts as of which the log says nothing any more. */
  readonly onMissingEvidence: OnMissingEvidence;
  /** What to do when the table knows no epoch of a job that has run, as its consumer group says. */
  readonly onMissingState: 'stop' | 'start-anew';
  /** By stage: a number, or the bounds between which it changes while the job runs. */
  readonly parallelism: Readonly<Record<string, Subtasks>>;
  readonly maxParallelism: number;
  /** A backlog that would take longer at the present rate gets more subtasks, within the bounds. @default the job changes them by request alone */
  readonly scaleUpBacklogMs?: number;
  /** So many epochs in a row have to keep up before there are fewer subtasks. @default 1 */
  readonly scaleDownEpochs?: number;
  readonly checkpointIntervalMs: number;
  readonly epochTimeoutMs: number;
  readonly commitTimeoutMs: number;
  readonly recoveryTimeoutMs: number;
  readonly maxEpochBytes: number;
  readonly maxConcurrentEpochs: number;
  /** The longest pause between two looks for input while there is none. */
  readonly idlePollMaxMs: number;
  /** After this long without input the coordinator hands over to nobody: the next tick looks again. Undefined: it stays. */
  readonly idleExitMs?: number | undefined;
  readonly leaseMs: number;
  /** @default 'explicit' */
  readonly startKind?: StartKind;
  /** Of an explicit start. @default 'allow' */
  readonly takeover?: Takeover;
  /** Of an explicit start. @default the last epoch, as always */
  readonly startAt?: StartAt | undefined;
  /**
   * Of an explicit start that is tried again: how often the job had been asked to stop when it was first tried. One that was asked since stays stopped.
   * @default as often as when its lease is taken
   */
  readonly afterStops?: number | undefined;
  /** The savepoint of ONCEFLOW_START_FROM, also where a person's start says another. @default none */
  readonly configuredFrom?: string | undefined;
  /** Of a revival: holders that are known to have died, so that their leases need not run out first. @default none is */
  readonly deadHolders?: readonly string[] | undefined;
  /** When it will be told to hand over, if that is known: written with the lease, so that a successor can be there. */
  readonly holderEndsAtMs?: number | undefined;
  readonly retainedCheckpoints: number;
  /** Least time from a commit to the next plan. Above 0 there is one epoch at a time. */
  readonly minPauseMs: number;
  readonly restart: RestartStrategy;
  /** How long something may be refused to a job that runs until it stops for it. */
  readonly refusalTimeoutMs: number;
  /** Failed attempts in a row, not of user code, that do not stop the job. */
  readonly tolerableFailures: number;
  /** Failures in a row of one record alone after which it is poison. */
  readonly poisonAttempts: number;
}

/** What committing an epoch needs of them. */
export type CommitSettings = Pick<JobSettings, 'job' | 'build' | 'plan' | 'commitTimeoutMs' | 'epochTimeoutMs' | 'onMissingEvidence'>;

/** What a coordinator learned when it started, besides its settings. */
export interface Tenure {
  readonly generation: number;
  readonly incarnation: string;
  /** By sink of this run, what its connector has learnt of where it writes to. */
  readonly sinkFacts: Readonly<Record<string, Own>>;
  /** What sinks may have left open in this incarnation, this run's included. */
  readonly pool: Pool;
}

/** Why a coordinator ended. */
export type CoordinatorEnd =
  /** By request: everything decided is committed, no transaction is open, the lease is given up. */
  | { readonly end: 'stopped'; readonly message: string }
  /** It was told to end; what it left unfinished, if anything, the next coordinator finishes at once. */
  | { readonly end: 'handed-over'; readonly message: string }
  /** Another coordinator holds the job. Nothing was aborted and nothing deleted. */
  | { readonly end: 'superseded'; readonly message: string }
  /** Another coordinator holds the job and this one was told not to take over. Nothing was changed. */
  | { readonly end: 'refused'; readonly message: string }
  /** The job cannot go on without a person; it stays resumable. */
  | { readonly end: 'failed'; readonly message: string };

/** Thrown inside a coordinator when it finds that another generation holds the job. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

/** Thrown inside a coordinator that was told to end while something is not finished: the next coordinator does it. */
export class LeftToNextError extends Error {
  override readonly name = 'LeftToNextError';
}

/** Thrown inside a coordinator that must not take the job over from another. */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError';
}

/** Thrown inside a coordinator when a person has to act. */
export class JobFailedError extends Error {
  override readonly name = 'JobFailedError';
}

export function sourceStages(settings: Pick<JobSettings, 'plan'>): SourceStage[] {
  return settings.plan.stages.filter((stage) => stage.kind === 'source');
}

export function sinkStages(settings: Pick<JobSettings, 'plan'>): SinkStage[] {
  return settings.plan.stages.filter((stage) => stage.kind === 'sink');
}

/** The connector of that name. @throws JobFailedError: this build has none */
export function connectorNamed({ sinks }: Pick<CoordinatorDeps, 'sinks'>, connector: string): SinkCoordination {
  const found = sinks.named(connector);
  if (found !== undefined) return found;
  throw new JobFailedError(
    `the job has output of connector ${connector}, which this build does not have: run it by the build that it was run by`,
  );
}

/** The stage whose function commits for a sink: its own, or when this run has no such sink any other's. */
export function sinkFunctionOf(settings: Pick<JobSettings, 'plan'>, sink: string): string {
  const stages = sinkStages(settings).map(({ id }) => id);
  return stages.includes(sink) ? sink : (stages[0] ?? sink);
}
