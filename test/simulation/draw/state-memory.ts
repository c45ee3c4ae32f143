import { Dice, hashOf } from '../kernel/dice.ts';
import type { Part } from './part.ts';

/** In a third of the seeds state is larger than memory: it may hold no key, one or a few. In some of these the disk fails now and then. */
export const drawStateMemory: Part = ({ seed }) => {
  const dice = new Dice(hashOf(seed, 'state memory'));
  if (!dice.chance(1 / 3)) return {};
  const disk = new Dice(hashOf(seed, 'local disk'));
  return { stateMemoryBytes: dice.pick([0, 200, 1_000]), diskFails: disk.chance(0.3) ? disk.spread(0.0005, 0.005) : 0 };
};
