import { nameOf } from '../format/byte-writer.ts';
import { JobDefinitionError } from '../graph/job.ts';

/** Throws `JobDefinitionError` unless it is an object, for what cannot do without. @param wanted what to give, as it is written */
export function expectGiven(given: unknown, where: string, wanted: string): void {
  if (typeof given === 'object' && given !== null) return;
  throw new JobDefinitionError(`${where} is given ${nameOf(given)} in place of its options: give it ${wanted}`);
}
