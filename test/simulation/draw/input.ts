import type { Dice } from '../kernel/dice.ts';
import type { InputBatch } from '../world-options.ts';

const WORDS = ['ant', 'bee', 'cow', 'auk', 'bat', 'cat'];

/** Lines of a few words, each with a number of its own, that come while the job runs. */
export function drawInput(dice: Dice, topics: readonly string[], partitions: number, untilMs: number, count?: number): InputBatch[] {
  const batches = count ?? (dice.chance(0.7) ? dice.whole(8, 16) : dice.whole(25, 45));
  let line = 0;
  return Array.from(
    { length: batches },
    (_, index): InputBatch => ({
      atMs: index < 2 ? 0 : dice.between(0, untilMs),
      topic: dice.pick(topics),
      partition: dice.whole(0, partitions - 1),
      lines: Array.from(
        { length: dice.whole(1, 5) },
        () => `${Array.from({ length: dice.whole(1, 3) }, () => dice.pick(WORDS)).join(' ')} #${line++}`,
      ),
      how: dice.pick(['plain', 'plain', 'commit', 'abort']),
      endsAfterMs: dice.spread(1, 3_000),
    }),
  );
}
