import type { JobSummary } from '../../host/job/describe.ts';
import type { InspectDeps } from '../../lib/inspect/deps.ts';
import type { StateOwner } from '../../lib/replay/state-of.ts';
import type { ActionOutcome } from './outcome.ts';

/** What panels are read from, and by what actions are done. */
export interface ConsoleDeps extends InspectDeps {
  /** The table, for people. */
  readonly table: string;
  /** The job as its module has it. Undefined: no module is named. */
  readonly module: ModuleOfJob | undefined;
  /** Where letters of records are that were left out. Undefined: it is not configured. */
  readonly deadLetterTopic: string | undefined;
  /** What the job keeps state of. It runs the module's code in this process. Undefined: no module is named. */
  owners(): Promise<readonly StateOwner[] | undefined>;
  /** Runs a command of `onceflow` on this job, with these words behind its name. Undefined: the console only reads. */
  readonly act: ((call: readonly string[]) => Promise<ActionOutcome>) | undefined;
}

/** `why`: it cannot be loaded. */
export type ModuleOfJob =
  | { readonly is: 'loaded'; readonly job: Pick<JobSummary, 'graph' | 'plan' | 'parallelism'> }
  | { readonly is: 'broken'; readonly why: string };
