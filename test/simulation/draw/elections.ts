import { Dice, hashOf } from '../kernel/dice.ts';
import { parallelismOf } from '../parallelism.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

/** In the seeds about it, partitions have no leader for a moment, again and again, while several pieces of output are sent to them. */
export const drawElections: Part = ({ seed, job, faultsUntilMs }, focus) => {
  if (focus !== 'elections') return {};
  const dice = new Dice(hashOf(seed, 'elections'));
  const topics = [...shapeOf(job).sinks.values()].flat();
  return {
    delivery: () => 'at-least-once',
    parallelism: () => parallelismOf(job, { source: 1, operator: 3, sink: 1 }),
    leaderless: Array.from({ length: 80 }, () => ({
      atMs: dice.between(500, faultsUntilMs),
      topic: dice.pick(topics),
      partition: dice.whole(0, 2),
      forMs: dice.spread(10, 300),
    })),
  };
};
