/** What the author of a job imports for its tests. */

export { UserCodeError } from '../records/errors.ts';
export { type SinkDrill, type SinkDrillOptions, sinkDrills } from './drill/sink-drills.ts';
export { EpochFailedError } from './failures.ts';
export type { InputRecord } from './input.ts';
export type { EpochReport } from './memory-job.ts';
export type { WrittenOutput } from './read-output.ts';
export type { Parallelism } from './run.ts';
export { type CrashOptions, type EpochOptions, type Span, type TestJob, type TestOptions, testJob } from './test-job.ts';
