import { Dice, hashOf } from './kernel/dice.ts';
import type { WorldOptions } from './world-options.ts';

/** In a third of the seeds state is larger than memory: it holds no key, one or a few. */
export function drawStateMemory(seed: number): Pick<WorldOptions, 'stateMemoryBytes'> {
  const dice = new Dice(hashOf(seed, 'state memory'));
  return { stateMemoryBytes: dice.chance(1 / 3) ? dice.pick([0, 200, 1_000]) : undefined };
}
