import { Dice, hashOf } from '../kernel/dice.ts';
import type { InputBatch } from '../world-options.ts';
import { focusOf } from './focus.ts';
import type { Part } from './part.ts';

/** Seeds in which the author's functions fail: none of those that are about something else. */
function isFaulty(seed: number): boolean {
  return focusOf(seed) === 'anything' && new Dice(hashOf(seed, 'user code')).chance(0.45);
}

/** Author's functions that fail, at the words that make them and at random. */
export const drawUserCode: Part = ({ seed, input }) => {
  if (!isFaulty(seed)) return {};
  const dice = new Dice(hashOf(seed, 'user code options'));
  const chance = dice.chance(0.4) ? dice.spread(0.002, 0.03) : 0;
  const how = dice.pick(['always', 'always', 'never', 'changing']);
  return {
    userCode: { chance, leavesOut: (coordinator) => how === 'always' || (how === 'changing' && coordinator % 2 === 1) },
    settings: { poisonAttempts: 2 + (seed % 2) },
    input: withPoison(seed, input),
  };
};

/** Words that make the author's functions fail, in a few of the lines. */
function withPoison(seed: number, input: readonly InputBatch[]): InputBatch[] {
  const dice = new Dice(hashOf(seed, 'poison'));
  const words = ['p', 'q', 'r1', 's2', 's4', 'u', 'q']
    .filter(() => dice.chance(0.4))
    .map((word, index) => `${word}${word.length === 1 ? index : `x${index}`}`);
  const at = words.map(() => dice.whole(0, input.length - 1));
  return input.map((batch, index) => {
    const own = words.filter((_, which) => at[which] === index);
    return own.length === 0 ? batch : { ...batch, lines: [...batch.lines, ...own.map((word) => `ant ${word} #${word}`)] };
  });
}
