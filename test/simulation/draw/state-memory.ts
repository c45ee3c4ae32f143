import { Dice, hashOf } from '../kernel/dice.ts';
import type { Part } from './part.ts';

/** In a third of the seeds state is larger than memory: it may hold no key, one or a few. */
export const drawStateMemory: Part = ({ seed }) => {
  const dice = new Dice(hashOf(seed, 'state memory'));
  return dice.chance(1 / 3) ? { stateMemoryBytes: dice.pick([0, 200, 1_000]) } : {};
};
