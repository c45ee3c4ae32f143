import { Dice, hashOf } from '../kernel/dice.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

/** A line of this many characters, in the staged output of a manifest, makes it larger than what a row of the table takes. */
const LARGE_LINE = 170_000;

/** Some jobs whose sinks write whole lines get large ones, and blobs travel inside references: then manifests are blobs. */
export const drawManifests: Part = ({ seed, job, input }) => {
  const dice = new Dice(hashOf(seed, 'large manifests'));
  if (!shapeOf(job).writesLines || !dice.chance(0.15)) return {};
  const rate = dice.spread(0.05, 0.4);
  const enlarged = (line: string) => (dice.chance(rate) ? `${line}${'x'.repeat(LARGE_LINE)}` : line);
  return { input: input.map((batch) => ({ ...batch, lines: batch.lines.map(enlarged) })), inlineBlobBytes: 1_000_000 };
};
