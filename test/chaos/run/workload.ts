import { someAppends } from '../../support/list-append-job.ts';
import { someLines } from '../../support/word-counts.ts';

/** What runs under the faults: the word count to a topic, or also to files and a table; or a job that appends to lists. */
export type Workload = 'words' | 'words-everywhere' | 'lists';

export interface Work {
  readonly module: string;
  readonly operator: string;
  readonly sinks: readonly string[];
  /** The lines of the n-th transaction of the load, from 1 on. */
  readonly lines: (round: number) => string[];
}

const LINES = 12;
const words = { operator: 'count-words', lines: (round: number) => someLines(LINES, round) };

export const WORK: Readonly<Record<Workload, Work>> = {
  words: { ...words, module: './jobs/word-count.ts', sinks: ['write-counts'] },
  'words-everywhere': { ...words, module: './test/support/everywhere-job.ts', sinks: ['write-counts', 'store-counts', 'keep-counts'] },
  lists: { operator: 'append', module: './test/support/list-append-job.ts', sinks: ['write-counts'], lines: someAppends },
};
