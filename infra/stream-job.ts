import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { parameters } from '../lib/config/parameters.ts';
import { JobFunctions } from './functions/job-functions.ts';
import type { Network } from './network/network.ts';
import { type DeploymentSettings, type Given, readSettings } from './settings.ts';
import { CheckpointStorage } from './storage/checkpoint-storage.ts';
import { EveryMinute } from './triggers/every-minute.ts';

export interface StreamJobProps {
  /** Module of the job, relative to the working directory: its default export is made by `defineJob`. */
  readonly entry: string;
  readonly kafka: {
    /** Brokers to connect to first: `host:port`, with commas between. */
    readonly brokers: string;
    /** @default the functions run outside of any VPC, and reach what is public */
    readonly network?: Network;
  };
  /** Subtasks of every stage. @default 1 */
  readonly parallelism?: number;
  /** Any other parameter of the README's table, by its variable: `{ ONCEFLOW_CHECKPOINT_INTERVAL_MS: '5000' }`. */
  readonly parameters?: Given;
}

/**
 * A job on Lambda, DynamoDB and S3: storage for its checkpoints, its functions, and a schedule that keeps it running.
 *
 * @example
 * new StreamJob(stack, 'WordCount', { entry: './jobs/word-count.ts', kafka: { brokers: 'broker.example.com:9092' }, parallelism: 4 });
 *
 * @throws ConfigError, JobDefinitionError while the tree is built: a parameter is missing, wrong or contradicts another.
 */
export class StreamJob extends Construct {
  readonly settings: DeploymentSettings;
  readonly storage: CheckpointStorage;
  readonly functions: JobFunctions;

  constructor(scope: Construct, id: string, props: StreamJobProps) {
    super(scope, id);
    this.settings = readSettings(givenOf(props));
    this.storage = new CheckpointStorage(this, 'Storage', { removal: this.settings.config.removal });
    this.functions = new JobFunctions(this, 'Functions', {
      settings: this.settings,
      entry: this.settings.config.job,
      storage: this.storage,
      network: props.kafka.network,
    });
    new EveryMinute(this, 'EveryMinute', this.functions.coordinator);

    new CfnOutput(this, 'TableName', { value: this.storage.table.tableName });
    new CfnOutput(this, 'BlobsLocation', { value: `s3://${this.storage.blobs.bucketName}` });
    new CfnOutput(this, 'CoordinatorName', { value: this.functions.coordinator.functionName });
    new CfnOutput(this, 'BuildId', { value: this.functions.buildId });
  }
}

function givenOf({ entry, kafka, parallelism, parameters: others = {} }: StreamJobProps): Given {
  return {
    ...others,
    [parameters.job.variable]: entry,
    [parameters.brokers.variable]: kafka.brokers,
    ...(parallelism === undefined ? {} : { [parameters.parallelism.variable]: String(parallelism) }),
  };
}
