import { JobDefinitionError } from '../graph/job.ts';

const KIND = /^\[object (.*)\]$/;

/**
 * User functions run in a loop over a batch and must return their result. One that returns a promise is refused here
 * if it is declared async, and by the runtime otherwise.
 */
export function refuseAsync(fn: unknown, where: string, generators: 'allowed' | 'refused' = 'refused'): void {
  if (typeof fn !== 'function') throw new JobDefinitionError(`${where} is ${typeof fn}, not a function`);
  const kind = KIND.exec(Object.prototype.toString.call(fn))?.[1];
  if (kind === 'AsyncFunction' || kind === 'AsyncGeneratorFunction') {
    throw new JobDefinitionError(
      `${where} is async: user functions return their result at once. Do what must be waited for in mapAsync, or outside the job, before its records are written to Kafka or after`,
    );
  }
  if (kind === 'GeneratorFunction' && generators === 'refused') {
    throw new JobDefinitionError(`${where} is a generator: only flatMap takes one; elsewhere nothing would run it`);
  }
}
