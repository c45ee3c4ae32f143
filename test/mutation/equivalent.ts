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
];
