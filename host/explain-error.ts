import { ConfigError } from '../lib/config/fault.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { JobDefinitionError } from '../lib/graph/job.ts';
import { BlobMissingError } from '../lib/ports/blob-store.ts';
import { KafkaProblem } from '../lib/ports/kafka-requests.ts';
import { reasonOf } from '../lib/ports/reason.ts';
import { StoreProblem } from '../lib/ports/store-problem.ts';

/**
 * What a command says of an error that ends it.
 * - `setting`: what a person set is wrong; nothing was done.
 * - `trouble`: a service did not do what was asked.
 * - `defect`: nobody expected it, so the message is the stack.
 */
export interface Explained {
  readonly is: 'setting' | 'trouble' | 'defect';
  readonly message: string;
}

export function explainError(error: unknown): Explained {
  if (error instanceof UsageError || error instanceof ConfigError || error instanceof JobDefinitionError)
    return { is: 'setting', message: error.message };
  if (error instanceof StoreProblem && error.isSetting) return { is: 'setting', message: error.message };
  if (error instanceof StoreProblem || error instanceof KafkaProblem || error instanceof BlobMissingError)
    return { is: 'trouble', message: error.message };
  return { is: 'defect', message: error instanceof Error ? (error.stack ?? reasonOf(error)) : String(error) };
}
