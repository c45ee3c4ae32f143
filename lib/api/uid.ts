import { JobDefinitionError } from '../graph/job.ts';

/**
 * Names what is kept of a source (its offsets) or of a keyed operator (its state) in savepoints and from one run to the next: 1 to 60 of
 * a-z 0-9 -, unique in the job. One that had another uid before says so, and goes on with what is kept under that one.
 *
 * @example
 * const uid: Uid = { uid: 'count-words', formerly: 'count' };
 */
export type Uid = string | RenamedUid;

/** The uid of what had another one before. */
export interface RenamedUid {
  /** As it is now. */
  readonly uid: string;
  /** As it was: one, or several of which it has had one after the other. It may stay here for good. No other uid of the job is among them. */
  readonly formerly: string | readonly string[];
}

/** What `formerly` says, as a list. Throws `JobDefinitionError` when that is nothing. */
export function formerNames({ formerly }: { readonly formerly: string | readonly string[] }, where: string): readonly string[] {
  const names: unknown = typeof formerly === 'string' ? [formerly] : formerly;
  if (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string')) return [...names] as string[];
  throw new JobDefinitionError(`${where}: formerly is ${JSON.stringify(formerly)}, and must be a name that it had, or several`);
}
