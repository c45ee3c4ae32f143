import { drawJob } from '../jobs.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import { parallelismOf } from '../parallelism.ts';
import { shapeOf } from '../sim-job.ts';
import type { WorldOptions } from '../world-options.ts';
import type { Focus } from './focus.ts';
import { FOCUSED_JOBS } from './focused-jobs.ts';
import { drawInput } from './input.ts';

/**
 * What every world has: a job, its input, numbers of subtasks, sizes and times. Nothing goes wrong in it. Both dice are thrown in one order for
 * all of it: a throw more in between makes every seed another one, which a part of its own (`Part`) does not.
 */
export function drawShape(seed: number, focus: Focus): WorldOptions {
  const dice = new Dice(hashOf(seed, 'shape'));
  const job = drawJob(seed, dice, FOCUSED_JOBS[focus]);
  const inputPartitions = dice.whole(2, 3);
  const faultsUntilMs = ['garbage', 'savepoints', 'pins', 'moves'].includes(focus) ? 45_000 : dice.between(8_000, 25_000);
  const schedule = new Dice(hashOf(seed, 'schedule'));
  const watch: WorldOptions['watch'] = schedule.chance(0.3)
    ? { how: 'revival', everyMs: schedule.pick([5_000, 20_000]), standby: schedule.pick(['none', 'keep']) }
    : { how: 'explicit' };
  const widths = Array.from({ length: 7 }, () => ({ source: dice.whole(1, 2), operator: dice.whole(1, 2), sink: dice.whole(1, 2) }));
  const maxProducerEpoch = schedule.chance(0.8) ? 32_767 : schedule.whole(3, 8);
  const outputPartitions = dice.whole(1, 3);
  const batches = focus === 'anything' ? undefined : 60;
  const input = drawInput(dice, [...shapeOf(job).sources.values()], inputPartitions, faultsUntilMs, batches);
  return {
    seed,
    job,
    inputPartitions,
    outputPartitions,
    input,
    startingOffsets: dice.chance(0.8) ? 'earliest' : 'latest',
    settings: {
      checkpointIntervalMs: dice.pick([200, 500, 1_000]),
      maxEpochBytes: dice.pick([200, 600, 1_000_000]),
      maxConcurrentEpochs: dice.whole(1, 3),
      retainedCheckpoints: dice.whole(1, 3),
      takeover: dice.pick(['allow', 'allow', 'refuse']),
      idleExitMs: watch.how === 'revival' ? schedule.pick([undefined, 1_500]) : undefined,
    },
    inlineBlobBytes: dice.pick([0, 0, 150, 16_384]),
    parallelism: (coordinator) => parallelismOf(job, widths[(coordinator - 1) % widths.length] ?? { source: 1, operator: 1, sink: 1 }),
    oneAtATime: dice.chance(0.5),
    clockSkewMs: dice.pick([0, 50, 1_000]),
    markerDelayMs: dice.chance(0.8) ? [0.5, 20] : [5, 2_000],
    maxProducerEpoch,
    forgottenEnds: maxProducerEpoch > 1_000 && schedule.chance(0.4) ? schedule.spread(0.01, 0.3) : 0,
    tokenLifetimeMs: dice.pick([600_000, 200]),
    fetchBytes: dice.pick([100, 400, 1_000_000]),
    updateAtMs: job.grows ? dice.between(1_000, faultsUntilMs * 0.8) : undefined,
    faults: () => undefined,
    faultsUntilMs,
    ending: dice.chance(0.75) ? 'stop' : 'wait',
    watch,
    history: false,
  };
}
