import { CfnOutput } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { CLUSTER_RULE, isCluster } from '../lib/config/clusters.ts';
import { ConfigError } from '../lib/config/fault.ts';
import { clusterParameters, parameters } from '../lib/config/parameters.ts';
import { emulatedBrokers, onEmulator, tellEmulator } from './emulated.ts';
import { JobFunctions } from './functions/job-functions.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import type { Network } from './network/network.ts';
import { type DeploymentSettings, type Given, readSettings } from './settings.ts';
import { fileStatements, itemStatements } from './sinks/sink-access.ts';
import { CheckpointStorage } from './storage/checkpoint-storage.ts';
import { EveryMinute } from './triggers/every-minute.ts';

/** What a `StreamJob` deploys, and with which parameters. */
export interface StreamJobProps {
  /** Module of the job, relative to the working directory (with `cdk` that of cdk.json): its default export is made by `defineJob`. */
  readonly job: string;
  /** Where Kafka is. */
  readonly kafka: {
    /** Brokers to connect to first: `host:port`, with commas between. */
    readonly brokers: string;
    /** @default the functions run outside of any VPC, and reach what is public */
    readonly network?: Network;
    /** Other clusters, by the names that the job's sources and sinks have for them. The network must reach all. @default none */
    readonly clusters?: Readonly<Record<string, KafkaClusterProps>>;
  };
  /**
   * Table and bucket of an earlier deployment of this job, as its outputs named them, instead of new ones: `ONCEFLOW_ADOPT_TABLE` and
   * `ONCEFLOW_ADOPT_BLOBS`. @default they are made
   */
  readonly adopt?: { readonly table: string; readonly blobs: string };
  /** Subtasks of every stage: a number, or a range in which it changes while the job runs, `'1..16'`. @default 1 */
  readonly parallelism?: number | `${number}..${number}`;
  /**
   * Megabytes of local disk (ephemeral storage) of the function of each operator subtask, from 512 to 10,240 (`ONCEFLOW_OPERATOR_STORAGE_MB`):
   * with `ONCEFLOW_STATE_MEMORY_BYTES` all state of the subtask must fit into it. @default 512
   */
  readonly operatorStorageMb?: number;
  /** Metrics, a dashboard and alarms in CloudWatch (`ONCEFLOW_MONITORING`). @default true */
  readonly monitoring?: boolean;
  /** What alarms do when they begin and when they end, besides telling `ONCEFLOW_ALARM_TOPIC`. @default nothing */
  readonly alarmActions?: readonly IAlarmAction[];
  /** Any other parameter of the table in docs/configuration.md, by its variable: `{ ONCEFLOW_CHECKPOINT_INTERVAL_MS: '5000' }`. */
  readonly parameters?: Given;
  /** Variables that the job's own code reads, with their values, beside those that ONCEFLOW_JOB_ENVIRONMENT names. @default none */
  readonly environment?: Given;
  /** What `readSettings` made of the same parameters, where it was asked before. @default it is asked here */
  readonly settings?: DeploymentSettings;
}

/** A cluster of Kafka beside the first: what each of these means, says docs/configuration.md. */
export interface KafkaClusterProps {
  /** Brokers to connect to first: `host:port`, with commas between. */
  readonly brokers: string;
  /** What its listener speaks. @default 'PLAINTEXT' */
  readonly securityProtocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** How to log in. @default no login */
  readonly saslMechanism?: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'AWS_MSK_IAM';
  /** ARN of the secret with user and password: the functions may read it. @default none */
  readonly secretArn?: string;
  /** ARN of the key of one's own that encrypts the secret. @default AWS's own key */
  readonly secretKeyArn?: string;
  /** A file of this machine, which goes along. @default the authorities that Node trusts */
  readonly caFile?: string;
  /** With `AWS_MSK_IAM`: the cluster, on whose topics, groups and transactional ids the functions get their permissions. @default none */
  readonly clusterArn?: string;
}

/**
 * A job on Lambda, DynamoDB and S3: storage for its checkpoints, its functions, and a schedule that keeps it running. The functions may write
 * where the job's sinks name it: to buckets, and to tables of the stack's account and region.
 *
 * @example
 * new StreamJob(stack, 'WordCount', { job: './src/word-count.ts', kafka: { brokers: 'broker.example.com:9092' }, parallelism: 4 });
 *
 * @throws ConfigError, JobDefinitionError while the tree is built: a parameter is missing, wrong or contradicts another.
 */
export class StreamJob extends Construct {
  /** What was read of the properties and the environment. */
  readonly settings: DeploymentSettings;
  /** What the job keeps. */
  readonly storage: CheckpointStorage;
  /** What runs it. */
  readonly functions: JobFunctions;
  /** Undefined: it was left out. */
  readonly monitoring: Monitoring | undefined;

  constructor(scope: Construct, id: string, props: StreamJobProps) {
    super(scope, id);
    const emulated = emulatedBrokers(this);
    const given = emulated === undefined ? givenOf(props) : onEmulator(givenOf(props), emulated);
    this.settings = props.settings ?? readSettings(given, props.environment);
    const { config, job, adopt } = this.settings;
    this.storage = new CheckpointStorage(this, 'Storage', { job: job.name, removal: config.removal, adopt });
    this.functions = new JobFunctions(this, 'Functions', {
      settings: this.settings,
      storage: this.storage,
      network: emulated === undefined ? props.kafka.network : undefined,
    });
    new EveryMinute(this, 'EveryMinute', this.functions.coordinator);
    this.monitoring = config.monitoring === 'on' ? this.watch(props.alarmActions ?? []) : undefined;

    const table = new CfnOutput(this, 'TableName', { value: this.storage.table.tableName });
    const blobs = new CfnOutput(this, 'BlobsLocation', { value: this.storage.location });
    new CfnOutput(this, 'CoordinatorName', { value: this.functions.coordinator.functionName });
    new CfnOutput(this, 'BuildId', { value: this.functions.buildId });
    if (emulated !== undefined) {
      const outputs = { table: table.logicalId, blobs: blobs.logicalId };
      tellEmulator(this.functions.coordinator, this.settings, outputs);
    }
  }

  /**
   * Lets the job write files into a bucket, as a `fileSink` does, and use the key that encrypts it. To a location that a sink names the job may
   * write without it: this is for a bucket with a key of its own, and for the location that a sink had before, until the first start of the
   * new one has committed what was decided.
   * @param prefix of the location, without slashes at its ends @default the whole bucket
   * @example
   * streamJob.grantWriteFiles(bucket, 'orders');
   */
  grantWriteFiles(bucket: IBucket, prefix = ''): Grant {
    const { sink, coordinator } = this.functions;
    const rights = [
      ...grants(sink, fileStatements('sink', bucket.bucketArn, prefix).statements),
      ...grants(coordinator, fileStatements('coordinator', bucket.bucketArn, prefix).statements),
    ];
    const key = bucket.encryptionKey;
    return combined(key === undefined ? rights : [...rights, key.grant(sink, 'kms:Decrypt', 'kms:GenerateDataKey')]);
  }

  /**
   * Lets the job write items into a table, as a `dynamoSink` does, and use the key that encrypts it. To a table of the stack's account and
   * region that a sink names the job may write without it: this is for a table with a key of its own, or of another account.
   * @param ledgerTable that of the sink @default the table itself
   * @example
   * streamJob.grantWriteItems(table);
   */
  grantWriteItems(table: ITable, ledgerTable: ITable = table): Grant {
    const { sink, coordinator } = this.functions;
    const rights = [
      ...grants(sink, itemStatements('sink', table.tableArn, ledgerTable.tableArn)),
      ...grants(coordinator, itemStatements('coordinator', table.tableArn, ledgerTable.tableArn)),
    ];
    const keys = [...new Set([table, ledgerTable].map(({ encryptionKey }) => encryptionKey))].filter((key) => key !== undefined);
    return combined([...rights, ...keys.map((key) => key.grantEncryptDecrypt(sink))]);
  }

  private watch(given: readonly IAlarmAction[]): Monitoring {
    const { job, prefix, config } = this.settings;
    const { checkpointIntervalMs, alarmTopic } = config;
    const topic = alarmTopic === undefined ? [] : [new SnsAction(Topic.fromTopicArn(this, 'AlarmTopic', alarmTopic))];
    return new Monitoring(this, 'Monitoring', {
      job: job.name,
      prefix,
      checkpointIntervalMs,
      functions: this.functions,
      storage: this.storage,
      actions: [...given, ...topic],
    });
  }
}

function grants(grantee: IFunction, statements: readonly PolicyStatement[]): Grant[] {
  return statements.map(({ actions, resources }) => Grant.addToPrincipal({ grantee, actions, resourceArns: resources }));
}

function combined([first, ...others]: readonly Grant[]): Grant {
  if (first === undefined) throw new Error('there is no right to grant');
  return others.reduce((all, grant) => all.combine(grant), first);
}

function givenOf({ job, kafka, adopt, parallelism, operatorStorageMb, monitoring, parameters: others = {} }: StreamJobProps): Given {
  return {
    ...others,
    [parameters.job.variable]: job,
    [parameters.brokers.variable]: kafka.brokers,
    ...Object.assign({}, ...Object.entries(kafka.clusters ?? {}).map(([name, cluster]) => givenOfCluster(name, cluster))),
    ...(adopt === undefined ? {} : { [parameters.adoptTable.variable]: adopt.table, [parameters.adoptBlobs.variable]: adopt.blobs }),
    ...(parallelism === undefined ? {} : { [parameters.parallelism.variable]: String(parallelism) }),
    ...(operatorStorageMb === undefined ? {} : { [parameters.operatorStorageMb.variable]: String(operatorStorageMb) }),
    ...(monitoring === undefined ? {} : { [parameters.monitoring.variable]: monitoring ? 'on' : 'off' }),
  };
}

/** @throws ConfigError: there can be no cluster of that name */
function givenOfCluster(name: string, props: KafkaClusterProps): Given {
  if (!isCluster(name))
    throw new ConfigError([{ option: 'kafka.clusters', value: name, rule: CLUSTER_RULE, mend: 'name it as the job does' }]);
  const names = clusterParameters(name);
  return {
    [names.brokers.variable]: props.brokers,
    [names.kafkaSecurityProtocol.variable]: props.securityProtocol,
    [names.kafkaSaslMechanism.variable]: props.saslMechanism,
    [names.kafkaSecretArn.variable]: props.secretArn,
    [names.kafkaSecretKeyArn.variable]: props.secretKeyArn,
    [names.kafkaCaFile.variable]: props.caFile,
    [names.kafkaClusterArn.variable]: props.clusterArn,
  };
}
