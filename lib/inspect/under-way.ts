import { isLeaseLive } from '../epoch/start/may-start.ts';
import type { JobRow, UnderWay } from '../ports/epoch-store.ts';

/**
 * What the coordinator that runs the job said last of what is under way: once of what takes long, and with each third of its lease in which nothing
 * was decided. What has been committed since, or was at work and has been decided since, is left out. Undefined: nothing is known to be, or nobody
 * runs the job.
 */
export function underWayIn(row: JobRow, nowMs: number): UnderWay | undefined {
  const { underWay, generation, lastCommitted, lastCompleted } = row;
  if (!isLeaseLive(row, nowMs) || underWay?.generation !== generation) return undefined;
  const decided = lastCompleted?.epoch ?? -1;
  const attempts = underWay.attempts.filter(({ epoch, phase }) => epoch > (isDecided(phase) ? lastCommitted : decided));
  const failed = underWay.failed.filter(({ epoch }) => epoch > decided);
  return attempts.length === 0 && failed.length === 0 ? undefined : { ...underWay, attempts, failed };
}

function isDecided(phase: string): boolean {
  return phase === 'decided' || phase === 'committing';
}
