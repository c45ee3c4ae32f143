import { isLeaseLive } from '../epoch/start/may-start.ts';
import type { JobRow, NoProgress } from '../ports/epoch-store.ts';

/**
 * What a job's row says of it.
 * - `running`, `stopping`: a coordinator holds the lease; `stopping`: it was asked to stop.
 * - `failed`: it ended and waits for a person.
 * - `stopped`: it ended by request.
 * - `dead`: it is to run, but nobody holds the lease.
 */
export type JobStanding = 'running' | 'stopping' | 'failed' | 'stopped' | 'dead';

export function standingOf(row: JobRow, nowMs: number): JobStanding {
  if (isLeaseLive(row, nowMs)) return row.desired === 'stopped' ? 'stopping' : 'running';
  if (row.failure !== undefined) return 'failed';
  return row.desired === 'stopped' ? 'stopped' : 'dead';
}

/** What the coordinator that runs the job says of its progress; undefined when it makes some, or nobody runs the job. */
export function noProgressOf(row: JobRow, nowMs: number): NoProgress | undefined {
  return isLeaseLive(row, nowMs) && row.noProgress?.generation === row.generation ? row.noProgress : undefined;
}
