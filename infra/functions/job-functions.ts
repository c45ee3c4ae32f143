import { createHash } from 'node:crypto';
import { Duration, RemovalPolicy, Size, Stack, Token } from 'aws-cdk-lib';
import { Architecture, Code, type FunctionProps, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { coordinatorName, type FunctionRole, functionName, logGroupName } from '../../lib/config/function-names.ts';

import { type ClusterConfig, clusterParameters } from '../../lib/config/parameters.ts';
import { rangeOfStage } from '../../lib/config/subtasks.ts';

import { MOST_WAITING_MS } from '../../lib/config/ticks.ts';
import { checkSize } from '../environment.ts';
import { type Network, placementIn } from '../network/network.ts';
import type { DeploymentSettings } from '../settings.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { bundleFunctions, CA_IN_BUNDLE, caInBundle } from './bundle.ts';
import { roleOf } from './permissions.ts';
import { JOB_IN_BUNDLE } from './write-bundle.ts';

export interface JobFunctionsProps {
  readonly settings: DeploymentSettings;
  readonly storage: CheckpointStorage;
  readonly network?: Network | undefined;
}

/** What the platform may take from a stage function's time beyond the engine's own deadlines. */
const STAGE_MARGIN_MS = 15_000;
const LONGEST_FUNCTION_MS = 900_000;
const LONGEST_STACK_NAME = 128;
const LONGEST_TABLE_NAME = 255;
const LONGEST_BUCKET_NAME = 63;

/**
 * The functions of a job: coordinator, source and sink, each shared by all its subtasks, and one for every subtask that
 * an operator stage may have, so that a warm one holds the state of exactly that subtask. One that is not asked costs nothing.
 */
export class JobFunctions extends Construct {
  /** Runs the job: it asks the others. */
  readonly coordinator: LambdaFunction;
  /** Reads topics, for all subtasks of all sources. */
  readonly source: LambdaFunction;
  /** Writes, for all subtasks of all sinks. */
  readonly sink: LambdaFunction;
  /** One for each subtask of each stage of keyed operators. */
  readonly operators: readonly LambdaFunction[];
  /** Names the code and the settings: functions of two builds never share an epoch. */
  readonly buildId: string;

  constructor(scope: Construct, id: string, { settings, storage, network }: JobFunctionsProps) {
    super(scope, id);
    const { config, prefix, job } = settings;
    const { plan, parallelism } = job;
    const given = {
      ...settings.environment,
      ...(config.kafkaCaFile === undefined ? {} : { ONCEFLOW_KAFKA_CA_FILE: `./${CA_IN_BUNDLE}` }),
      ...certificatesOf(config.kafkaClusters),
      ONCEFLOW_JOB: JOB_IN_BUNDLE,
      // Kafka's client computes a negative timeout for every connection, of which Node warns.
      NODE_OPTIONS: '--enable-source-maps --disable-warning=TimeoutNegativeWarning',
    };
    checkSize({ ...given, ...this.longestOf(storage, settings) });
    const bundle = bundleFunctions(this, settings, given);
    this.buildId = createHash('sha256')
      .update(JSON.stringify([bundle.assetHash, settings.environment, parallelism, settings.adopt ?? null]))
      .digest('hex')
      .slice(0, 16);
    const code = Code.fromBucketV2(bundle.bucket, bundle.s3ObjectKey);
    const environment = {
      ...given,
      ONCEFLOW_TABLE: storage.table.tableName,
      ONCEFLOW_BLOBS: storage.location,
      ONCEFLOW_BUILD_ID: this.buildId,
    };
    const stageTimeoutMs = Math.min(Math.max(config.epochTimeoutMs, config.commitTimeoutMs) + STAGE_MARGIN_MS, LONGEST_FUNCTION_MS);

    const placement = placementIn(this, network);
    const ofRole = (role: FunctionRole, construct: string) => {
      const logGroup = new LogGroup(this, `${construct}Logs`, {
        logGroupName: logGroupName(prefix, role),
        retention: Number(config.logRetentionDays) satisfies RetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      const scopeOf = { settings, job: job.name, prefix, storage, inVpc: network !== undefined };
      const common: FunctionProps = {
        runtime: Runtime.NODEJS_24_X,
        architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
        code,
        handler: `${role}.handler`,
        environment,
        memorySize: role === 'coordinator' ? config.coordinatorMemoryMb : config.functionMemoryMb,
        timeout: Duration.millis(role === 'coordinator' ? config.coordinatorLifetimeMs : Math.ceil(stageTimeoutMs / 1000) * 1000),
        logGroup,
        role: roleOf(this, `${construct}Role`, role, logGroup, scopeOf),
        ...placement,
      };
      return (name: string, functionId: string, more: Partial<FunctionProps> = {}) =>
        new LambdaFunction(this, functionId, { ...common, ...more, functionName: name });
    };

    const first = { role: 'source', stage: '', subtask: 0 } as const;
    this.coordinator = ofRole('coordinator', 'Coordinator')(coordinatorName(prefix), 'Coordinator', {
      description: `Onceflow coordinator of job ${job.name}`,
      // The only one that is invoked asynchronously, and the next tick is its retry. What is throttled the platform would keep for
      // six hours: a start of then would undo that the job was stopped since.
      retryAttempts: 0,
      maxEventAge: Duration.millis(MOST_WAITING_MS),
    });
    this.source = ofRole('source', 'Source')(functionName(prefix, first), 'Source');
    this.sink = ofRole('sink', 'Sink')(functionName(prefix, { ...first, role: 'sink' }), 'Sink');
    const operatorStages = plan.stages.filter(({ kind }) => kind === 'operator');
    const operator = operatorStages.length === 0 ? undefined : ofRole('operator', 'Operator');
    this.operators = operatorStages.flatMap(({ id: stage }) =>
      Array.from({ length: rangeOfStage(parallelism, stage).most }, (_, subtask) => {
        const name = functionName(prefix, { role: 'operator', stage, subtask });
        const reserved = config.operatorConcurrency === undefined ? {} : { reservedConcurrentExecutions: config.operatorConcurrency };
        const ephemeralStorageSize = Size.mebibytes(config.operatorStorageMb);
        return operator?.(name, `Operator-${stage}-${subtask}`, { ...reserved, ephemeralStorageSize });
      }).filter((made) => made !== undefined),
    );
  }

  /** What the deployment makes, as long as CloudFormation may name it. */
  private longestOf({ table, location }: CheckpointStorage, { adopt }: DeploymentSettings): Record<string, string> {
    const ONCEFLOW_BUILD_ID = '0123456789abcdef';
    if (adopt !== undefined) return { ONCEFLOW_TABLE: adopt.tableName, ONCEFLOW_BLOBS: location, ONCEFLOW_BUILD_ID };
    const { stackName } = Stack.of(this);
    const name = `${Token.isUnresolved(stackName) ? 'x'.repeat(LONGEST_STACK_NAME) : stackName}-${table.node.path}-0123456789ABC`;
    return {
      ONCEFLOW_TABLE: name.slice(0, LONGEST_TABLE_NAME),
      ONCEFLOW_BLOBS: `s3://${'x'.repeat(LONGEST_BUCKET_NAME)}`,
      ONCEFLOW_BUILD_ID,
    };
  }
}

/** Of clusters that have a name: where in the bundle the certificates of their authorities are. */
function certificatesOf(clusters: Readonly<Record<string, ClusterConfig>> = {}): Record<string, string> {
  const withOwn = Object.entries(clusters).filter(([, { kafkaCaFile }]) => kafkaCaFile !== undefined);
  return Object.fromEntries(withOwn.map(([cluster]) => [clusterParameters(cluster).kafkaCaFile.variable, `./${caInBundle(cluster)}`]));
}
