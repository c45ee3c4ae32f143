import { Dice, hashOf } from '../kernel/dice.ts';
import type { Faults } from '../kernel/faults.ts';
import type { Part } from './part.ts';

interface Clocks {
  readonly drift: number;
  readonly stepRate: number;
  readonly longestStepMs: number;
}

/** Wall clocks that gain or lose, and steps of them where no other fault befalls a call: none, in most seeds. */
export const drawClocks: Part = ({ seed, faults }) => {
  const clocks = clocksOf(seed);
  const steps = stepsOf(seed, clocks);
  return { clockDrift: clocks.drift, faults: (call) => faults(call) ?? steps(call) };
};

function clocksOf(seed: number): Clocks {
  const dice = new Dice(hashOf(seed, 'clocks'));
  const wrong = dice.chance(0.4);
  return {
    drift: wrong ? dice.spread(0.0001, 0.02) : 0,
    stepRate: wrong ? dice.spread(0.001, 0.03) : 0,
    longestStepMs: dice.spread(100, 60_000),
  };
}

function stepsOf(seed: number, { stepRate, longestStepMs }: Clocks): Faults {
  return (call) => {
    const own = new Dice(hashOf(seed, `clock step ${call.id}`));
    if (!own.chance(stepRate)) return undefined;
    return { fault: 'clock-step', byMs: own.pick([-1, 1]) * own.spread(20, longestStepMs) };
  };
}
