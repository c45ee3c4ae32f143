import type { JobSettings } from '../coordinator/context.ts';

/** What of the job's settings the loop's decisions depend on. */
export type LoopRules = Pick<
  JobSettings,
  | 'build'
  | 'plan'
  | 'parallelism'
  | 'commitOffsets'
  | 'checkpointIntervalMs'
  | 'epochTimeoutMs'
  | 'maxEpochBytes'
  | 'maxConcurrentEpochs'
  | 'minPauseMs'
  | 'idlePollMaxMs'
  | 'idleExitMs'
  | 'startKind'
  | 'restart'
  | 'scaleUpBacklogMs'
  | 'scaleDownEpochs'
  | 'refusalTimeoutMs'
  | 'tolerableFailures'
  | 'poisonAttempts'
>;
