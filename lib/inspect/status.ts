import type { EpochRow, JobRow, NoProgress, UnderWay } from '../ports/epoch-store.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { InspectDeps } from './deps.ts';
import { type Known, tryToRead } from './known.ts';
import { type Lag, lagOf, type PartitionLag } from './lag.ts';
import { manifestIn } from './manifest.ts';
import { type JobStanding, noProgressOf, standingOf } from './standing.ts';
import { type JobTime, timeIn } from './time.ts';
import { underWayIn } from './under-way.ts';

/** Is the job well? Who runs it, how far is it, how far behind is it. */
export interface JobStatus {
  readonly job: string;
  readonly standing: JobStanding;
  /** What a person asked for last. */
  readonly desired: JobRow['desired'];
  /** Why it waits for a person. */
  readonly failure: string | null;
  /** Null: it makes progress, or nobody runs it. */
  readonly noProgress: NoProgress | null;
  /** Attempts that take long, and why others failed, as the coordinator said it at its `atMs`. Null: none is known to. */
  readonly underWay: UnderWay | null;
  readonly incarnation: string;
  readonly generation: number;
  /** Who took the generation, for people. */
  readonly holder: string;
  /** 0: it was given up. */
  readonly leaseExpiresAtMs: number;
  readonly leaseLeftMs: number;
  /** Epochs. Null: none yet. */
  readonly lastCompleted: number | null;
  /** As far as it is recorded. */
  readonly lastCommitted: number | null;
  /** Null also when the epoch's row is gone. */
  readonly lastDecidedAtMs: number | null;
  /** Null: it is not known, and `lagUnknownBecause` says why. */
  readonly lag: JobLag | null;
  readonly lagUnknownBecause: string | null;
  /** By stage: how many subtasks it has, and may have, and why. Null: no coordinator has said it yet. */
  readonly scale: StageScales | null;
  /** By stage, what a person has asked for, whatever it takes. */
  readonly rescale: Readonly<Record<string, number>>;
  /** Null: the job uses no time, or the manifest of its last completed epoch cannot be read, and `lagUnknownBecause` says why. */
  readonly time: JobTime | null;
}

type StageScales = NonNullable<JobRow['scale']>;

/** In records, counted by offsets. */
export interface JobLag {
  readonly records: number;
  /** Behind what can be read: held up by transactions that are open in the topics. */
  readonly heldUp: number;
  readonly partitions: readonly PartitionLag[];
}

/** Undefined: there is no such job. */
export async function readStatus(deps: InspectDeps): Promise<JobStatus | undefined> {
  const row = await deps.epochs.readJob(deps.job);
  if (row === undefined) return undefined;
  const { lastCompleted } = row;
  const last = lastCompleted === undefined ? undefined : await deps.epochs.readEpoch(row.job, row.incarnation, lastCompleted.epoch);
  const manifest = await manifestOf(deps, last);
  return statusOf(row, last, { manifest, lag: await lagOf(deps, manifest) }, deps.clock.now());
}

async function manifestOf(deps: InspectDeps, last: EpochRow | undefined): Promise<Known<Manifest>> {
  if (last === undefined) return { known: false, why: 'the job has not completed an epoch yet' };
  return tryToRead(() => manifestIn(deps, last));
}

/** What there may be to know beside the rows. */
export interface Beside {
  /** Of the last completed epoch. */
  readonly manifest: Known<Manifest>;
  readonly lag: Lag;
}

/** The status from what was read. */
export function statusOf(row: JobRow, last: EpochRow | undefined, { manifest, lag }: Beside, nowMs: number): JobStatus {
  return {
    job: row.job,
    standing: standingOf(row, nowMs),
    desired: row.desired,
    failure: row.failure ?? null,
    noProgress: noProgressOf(row, nowMs) ?? null,
    underWay: underWayIn(row, nowMs) ?? null,
    incarnation: row.incarnation,
    generation: row.generation,
    holder: row.holder,
    leaseExpiresAtMs: row.leaseExpiresAtMs,
    leaseLeftMs: Math.max(0, row.leaseExpiresAtMs - nowMs),
    lastCompleted: row.lastCompleted?.epoch ?? null,
    lastCommitted: row.lastCompleted === undefined ? null : row.lastCommitted,
    lastDecidedAtMs: last?.summary.decidedAtMs ?? null,
    lag: lag.known
      ? {
          records: lag.of.reduce((sum, partition) => sum + partition.lag, 0),
          heldUp: lag.of.reduce((sum, partition) => sum + partition.heldUp, 0),
          partitions: lag.of,
        }
      : null,
    lagUnknownBecause: lag.known ? null : lag.why,
    scale: row.scale ?? null,
    rescale: row.rescale?.subtasks ?? {},
    time: manifest.known ? timeIn(manifest.of) : null,
  };
}
