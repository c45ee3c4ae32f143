import type { JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import { parallelismOf } from '../parallelism.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

/** Half of all seeds: in the others each coordinator has numbers of its own, that do not change while it runs. */
const CHANCE = 0.5;

/** Of every stage, where people ask for other numbers. */
const BETWEEN = { least: 1, most: 3 };

/** People ask for other numbers of subtasks while the job runs, of some stages or of all; and take it back. */
export const drawRescales: Part = ({ seed, job, faultsUntilMs }, focus) => {
  const dice = new Dice(hashOf(seed, 'rescales'));
  if (!dice.chance(focus === 'rescales' ? 1 : CHANCE)) return {};
  const { sources, operators, sinks } = shapeOf(job);
  const stages = [...sources.keys(), ...operators, ...sinks.keys()];
  const rescales = Array.from({ length: dice.whole(1, 12) }, () => ({
    atMs: dice.between(200, faultsUntilMs),
    subtasks: Object.fromEntries(stages.filter(() => dice.chance(0.6)).map((stage) => [stage, dice.whole(BETWEEN.least, BETWEEN.most)])),
  }));
  return {
    rescales,
    parallelism: () => parallelismOf(job, { source: BETWEEN, operator: BETWEEN, sink: BETWEEN }),
    settings: drawPolicy(seed),
  };
};

/** In half of these the job changes the numbers by itself too, soon and often. */
function drawPolicy(seed: number): Pick<JobSettings, 'scaleUpBacklogMs' | 'scaleDownEpochs'> {
  const dice = new Dice(hashOf(seed, 'scale policy'));
  return dice.chance(0.5) ? { scaleUpBacklogMs: dice.spread(50, 2_000), scaleDownEpochs: dice.whole(1, 4) } : {};
}
