import { askingJobs } from './jobs/asking.ts';
import { branchingJobs } from './jobs/branching.ts';
import { collectingJobs } from './jobs/collecting.ts';
import { connectedJobs } from './jobs/connected.ts';
import { countingJobs } from './jobs/counting.ts';
import { fadingJobs } from './jobs/fading.ts';
import { keepingJobs } from './jobs/keeping.ts';
import { reachingJobs } from './jobs/reaching.ts';
import { renewed } from './jobs/renewed.ts';
import { routingJobs } from './jobs/routing.ts';
import { tableJobs } from './jobs/tables.ts';
import { timedJobs } from './jobs/timed.ts';
import { windowedJobs } from './jobs/windowed.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import type { SimJob } from './sim-job.ts';

/** Jobs whose result is not said in one line. */
const statefulJobs: readonly SimJob[] = [
  ...keepingJobs,
  ...collectingJobs,
  ...fadingJobs,
  ...timedJobs,
  ...windowedJobs,
  ...connectedJobs,
  ...tableJobs,
  ...branchingJobs,
  ...askingJobs,
];

export const simJobs: readonly SimJob[] = [...countingJobs, ...statefulJobs, ...reachingJobs, ...routingJobs, renewed];

/** Draws the job of a seed; `only` one of these, if it is about them. `dice` are thrown once, whatever comes of it. */
export function drawJob(seed: number, dice: Dice, only?: readonly SimJob[]): SimJob {
  const counting = dice.pick(countingJobs);
  const own = new Dice(hashOf(seed, 'job'));
  if (only !== undefined) return own.pick(only);
  const reaching = new Dice(hashOf(seed, 'reaching'));
  if (reaching.chance(0.1)) return reaching.pick(reachingJobs);
  const routing = new Dice(hashOf(seed, 'routing'));
  if (routing.chance(0.08)) return routing.pick(routingJobs);
  if (new Dice(hashOf(seed, 'renewed')).chance(0.06)) return renewed;
  return own.chance(0.4) ? own.pick(statefulJobs) : counting;
}
