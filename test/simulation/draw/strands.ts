import { Dice, hashOf } from '../kernel/dice.ts';
import type { Part } from './part.ts';

/**
 * In some seeds ends are forgotten, and the producer ids that they were forgotten under are replaced, because their
 * epochs are used up or nobody used them for long. What is open then no client can end.
 */
export const drawStrands: Part = ({ seed }) => {
  const dice = new Dice(hashOf(seed, 'stranded transactions'));
  if (!dice.chance(0.1)) return {};
  return {
    strands: true,
    forgottenEnds: dice.spread(0.02, 0.3),
    maxProducerEpoch: dice.chance(0.5) ? dice.whole(3, 8) : 32_767,
    expireAtMs: Array.from({ length: dice.whole(1, 4) }, () => dice.between(500, 20_000)),
  };
};
