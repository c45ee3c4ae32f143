import { holderOf, isLeaseLive } from '../lib/epoch/start/may-start.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';

/** Why a job is not brought to rest by this command: somebody has asked for something else meanwhile, or taken it. */
export function whyNotOurs(row: JobRow, nowMs: number): string {
  const isHeld = isLeaseLive(row, nowMs);
  if (row.desired === 'running')
    return `job ${row.job} was asked to run again meanwhile: ${isHeld ? `${holderOf(row)} has it` : 'nobody has it yet'}`;
  return `job ${row.job} was taken over meanwhile, and is to stop: ${holderOf(row)} ${isHeld ? 'has it' : 'had it last'}`;
}
