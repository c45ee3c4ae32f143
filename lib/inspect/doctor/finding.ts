import { ConfigError } from '../../config/fault.ts';
import { BlobConflictError, BlobMissingError } from '../../ports/blob-store.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { StoreProblem } from '../../ports/store-problem.ts';

/** What one look has found. */
export interface Finding {
  /** What was looked at. */
  readonly what: string;
  /** `warning`: the job runs, and may lose something or tell less. `unknown`: it could not be seen. */
  readonly is: Verdict;
  readonly found: string;
  /** What to do; undefined where nothing is to be done. */
  readonly mend?: string | undefined;
}

export type Verdict = 'well' | 'wrong' | 'warning' | 'unknown';

export function well(what: string, found: string): Finding {
  return { what, is: 'well', found };
}

export function wrong(what: string, found: string, mend?: string): Finding {
  return { what, is: 'wrong', found, mend };
}

export function warning(what: string, found: string, mend?: string): Finding {
  return { what, is: 'warning', found, mend };
}

export function unknown(what: string, found: string, mend?: string): Finding {
  return { what, is: 'unknown', found, mend };
}

/** What `look` finds; where a service or a setting keeps it from looking, that is what is found. Defects are thrown on. */
export async function looked(what: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map(({ option, value, rule, mend }) =>
        wrong(what, value === undefined ? `${option} is not set` : `${option} is ${JSON.stringify(value)}: it must be ${rule}`, mend),
      );
    // Their messages say what to do.
    const isExplained =
      error instanceof KafkaProblem ||
      error instanceof StoreProblem ||
      error instanceof BlobMissingError ||
      error instanceof BlobConflictError;
    if (isExplained) return [wrong(what, error.message)];
    throw error;
  }
}
