import type { FencedWrite } from '../../ports/epoch-store.ts';
import { SupersededError } from '../coordinator/context.ts';

/** Throws `SupersededError` when a write found that another generation holds the job. */
export function fenced({ job }: { readonly job: string }, write: FencedWrite): void {
  if (write === 'superseded') throw new SupersededError(`another coordinator has taken over job ${job}`);
}
