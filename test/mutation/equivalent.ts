import type { Mutant } from './mutants.ts';

/** A mutant that was read, and that no test has to catch. */
export interface Equivalent extends Pick<Mutant, 'file' | 'within' | 'before' | 'after'> {
  /** Which one, where the same lines are there more than once in the function. @default 1 */
  readonly nth?: number;
  /** Why nobody can tell it from the original, or why nobody needs to. */
  readonly reason: string;
}

/** Copied from the report of a survivor. An entry whose lines are gone fails a test. */
export const equivalent: readonly Equivalent[] = [
  {
    file: 'lib/epoch/start/start.ts',
    within: 'newRow',
    before: 'incarnation: deps.random.id().slice(0, 8),',
    after: 'incarnation: deps.random.id().slice(0, 7),',
    reason: 'A shorter id only makes it likelier that two lives of a job get the same one: no history shows that.',
  },
  {
    file: 'lib/epoch/failure/isolate.ts',
    within: 'shareOut',
    before: 'if (most >= offsetsIn(parts)) return [...parts];',
    after: 'if (most > offsetsIn(parts)) return [...parts];',
    reason: 'A share of all there is comes to all of each part, in another order; and parts are looked up, never counted off.',
  },
  {
    file: 'lib/epoch/attempt/attempt.ts',
    within: 'newAttempt',
    before: 'decisionMs: 0,',
    after: 'decisionMs: 1,',
    reason: 'Its decision sets it, and figures are made of an attempt that is committed: nothing reads the first value.',
  },
  {
    file: 'lib/stages/source.ts',
    within: 'fetchOpenRanges',
    before:
      'const open = ranges.map((range, index) => ({ range, index })).filter(({ range, index }) => (positions[index] ?? 0) < range.bound);',
    after:
      'const open = ranges.map((range, index) => ({ range, index })).filter(({ range, index }) => (positions[index] ?? 1) < range.bound);',
    reason: 'There is a position for each range: both are made of the ranges of one request. The rest is for the compiler.',
  },
  {
    file: 'lib/epoch/loop/due.ts',
    within: 'beginDecision',
    before:
      'const slowest = sinks.reduce((one, other) => ((attempt.stageMs.get(other) ?? 0) > (attempt.stageMs.get(one) ?? 0) ? other : one));',
    after:
      'const slowest = sinks.reduce((one, other) => ((attempt.stageMs.get(other) ?? 0) > (attempt.stageMs.get(one) ?? 1) ? other : one));',
    reason: 'An attempt is decided when every stage has finished, and each of them has its time then.',
  },
  {
    file: 'lib/sinks/kafka/left-open.ts',
    within: 'readOpen',
    before: 'let isGone = false;',
    after: 'let isGone = true;',
    reason: 'Every try sets it before it is read, and there is one try at least. The first value is for the compiler.',
  },
];
