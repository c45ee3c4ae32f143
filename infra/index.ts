/** What the author of a CDK app imports: `onceflow/cdk`. */

export { ConfigError, type ConfigFault } from '../lib/config/fault.ts';
export { UsageError } from '../lib/config/usage-error.ts';
export type { JobFunctions } from './functions/job-functions.ts';
export type { Monitoring } from './monitoring/monitoring.ts';
export type { Network } from './network/network.ts';
export type { Given } from './settings.ts';
export type { CheckpointStorage } from './storage/checkpoint-storage.ts';
export { type KafkaClusterProps, StreamJob, type StreamJobProps } from './stream-job.ts';
