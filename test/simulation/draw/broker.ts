import { Dice, hashOf } from '../kernel/dice.ts';
import { shapeOf } from '../sim-job.ts';
import type { InputBatch } from '../world-options.ts';
import type { Part } from './part.ts';

/** What happens to the sinks' topics besides. Not both, but in the seeds of `drawStrands`: ends are forgotten, producer ids are replaced. */
export const drawBroker: Part = ({ seed, job, faultsUntilMs, maxProducerEpoch }) => {
  const dice = new Dice(hashOf(seed, 'broker events'));
  const topics = [...shapeOf(job).sinks.values()].flat();
  const times = (most: number) => Array.from({ length: dice.whole(1, most) }, () => dice.between(500, faultsUntilMs * 0.9));
  const leaderless = dice.chance(0.3)
    ? times(5).map((atMs) => ({ atMs, topic: dice.pick(topics), partition: dice.whole(0, 2), forMs: dice.spread(20, 3_000) }))
    : [];
  const strangers = dice.chance(0.3)
    ? times(25).map(
        (atMs, index): InputBatch => ({
          atMs,
          topic: dice.pick(topics),
          partition: 0,
          lines: [`stranger ${index}`],
          how: dice.pick(['plain', 'commit', 'abort']),
          endsAfterMs: dice.spread(1, 6_000),
        }),
      )
    : [];
  const expireAtMs = times(3);
  const mayForget = maxProducerEpoch > 1_000;
  return mayForget && dice.chance(0.8) ? { leaderless, strangers } : { strangers, expireAtMs, forgottenEnds: 0 };
};
