import type { JobSettings } from '../../lib/epoch/coordinator/context.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import { type SimJob, shapeOf } from './sim-job.ts';
import type { WorldOptions } from './world-options.ts';

/** Half of all seeds: in the others each coordinator has numbers of its own, that do not change while it runs. */
const CHANCE = 0.5;

/** Of every stage, where people ask for other numbers. */
export const RESCALED_BETWEEN = { least: 1, most: 3 };

/** In half of these the job changes the numbers by itself too, soon and often. */
export function drawPolicy(seed: number): Pick<JobSettings, 'scaleUpBacklogMs' | 'scaleDownEpochs'> {
  const dice = new Dice(hashOf(seed, 'scale policy'));
  return dice.chance(0.5) ? { scaleUpBacklogMs: dice.spread(50, 2_000), scaleDownEpochs: dice.whole(1, 4) } : {};
}

/** People ask for other numbers of subtasks while the job runs, of some stages or of all; and take it back. Undefined: nobody does. */
export function drawRescales(seed: number, job: SimJob, untilMs: number, chance = CHANCE): WorldOptions['rescales'] {
  const dice = new Dice(hashOf(seed, 'rescales'));
  if (!dice.chance(chance)) return undefined;
  const { sources, operators, sinks } = shapeOf(job);
  const stages = [...sources.keys(), ...operators, ...sinks.keys()];
  return Array.from({ length: dice.whole(1, 12) }, () => ({
    atMs: dice.between(200, untilMs),
    subtasks: Object.fromEntries(
      stages.filter(() => dice.chance(0.6)).map((stage) => [stage, dice.whole(RESCALED_BETWEEN.least, RESCALED_BETWEEN.most)]),
    ),
  }));
}
