import { ConfigError } from '../config/fault.ts';
import { BlobMissingError } from '../ports/blob-store.ts';
import { KafkaProblem } from '../ports/kafka-requests.ts';
import { StoreProblem } from '../ports/store-problem.ts';

/** What could be read, or why not: people are told the rest all the same. */
export type Known<T> = { readonly known: true; readonly of: T } | Unknown;
type Unknown = { readonly known: false; readonly why: string };

/** What is read; what is not configured, does not answer or is gone is said. A defect is thrown. */
export async function tryToRead<T>(read: () => Promise<T>): Promise<Known<T>> {
  try {
    return { known: true, of: await read() };
  } catch (error) {
    if (error instanceof ConfigError) return { known: false, why: error.faults.map(({ option, mend }) => `${option}: ${mend}`).join('; ') };
    if (error instanceof KafkaProblem || error instanceof StoreProblem || error instanceof BlobMissingError)
      return { known: false, why: error.message };
    throw error;
  }
}
