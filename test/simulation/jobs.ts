import { countingJobs } from './jobs/counting.ts';
import { keepingJobs } from './jobs/keeping.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import type { SimJob } from './sim-job.ts';

export const simJobs: readonly SimJob[] = [...countingJobs, ...keepingJobs];

/** Draws the job of a seed. `dice` are thrown once, whatever comes of it. */
export function drawJob(seed: number, dice: Dice): SimJob {
  const counting = dice.pick(countingJobs);
  const own = new Dice(hashOf(seed, 'job'));
  return own.chance(0.4) ? own.pick(keepingJobs) : counting;
}
