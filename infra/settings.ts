import { describeJob, type JobSummary } from '../host/job/describe.ts';
import { budgetFaults } from '../lib/config/budget.ts';
import { ConfigError, type ConfigFault } from '../lib/config/fault.ts';
import { isPrefix, PREFIX_RULE } from '../lib/config/function-names.ts';
import { readCertificates } from '../lib/config/kafka-certificates.ts';
import type { Parameter, Reader } from '../lib/config/parameters/row.ts';
import { type ClusterConfig, type ConfigOf, clusterParameters, configOf, parameters, rows } from '../lib/config/parameters.ts';
import { clustersIn } from '../lib/config/read-clusters.ts';
import { readConfig } from '../lib/config/read-config.ts';
import { rangeOf, rangeOfStage, subtasksText } from '../lib/config/subtasks.ts';
import { longestVacancyMs } from '../lib/config/ticks.ts';
import { environmentFaults, jobEnvironment } from './environment.ts';
import type { SinkTarget } from './sinks/sink-target.ts';
import type { AdoptedStorage } from './storage/checkpoint-storage.ts';

/** Parameters of lib/config by their variables, as text. Those that are empty count as not set. */
export type Given = Readonly<Record<string, string | undefined>>;

/** What a deployment is made from: checked. */
export interface DeploymentSettings {
  readonly config: ConfigOf<'infra'>;
  /** As it is on this machine. */
  readonly job: JobSummary;
  /** For the functions: the parameters that were given (no defaults, nothing that only tools read), and what the job reads. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the names of the functions begin with. */
  readonly prefix: string;
  /** Storage of an earlier deployment; undefined: it is made. */
  readonly adopt: AdoptedStorage | undefined;
}

type ConfiguredJob = Pick<DeploymentSettings, 'config' | 'job'>;

/** Who reads a parameter in a function. */
const IN_FUNCTIONS: readonly Reader[] = ['host', 'coordinator', 'source', 'operator', 'sink'];
const ADOPT = { table: parameters.adoptTable.variable, blobs: parameters.adoptBlobs.variable };
/** What names, of an earlier deployment, that which a deployment makes. */
const ADOPTED_BY: Readonly<Record<string, string>> = {
  [parameters.table.variable]: ADOPT.table,
  [parameters.blobs.variable]: ADOPT.blobs,
};
/** A cold start, taking the lease, and asking for the commits of what was decided. */
const START_MS = 10_000;
/** CloudFormation takes 500 resources in a stack; the rest of one has fewer than 100. */
const MOST_FUNCTIONS = 400;
const MB = 1024 * 1024;
/** What Node, the input of an epoch and garbage take of a function's memory besides its state: docs/state.md. */
const BESIDE_STATE_MB = 300;

/** Stands for what the deployment makes, where only its being there counts. */
export const PLACEHOLDERS = {
  [parameters.blobs.variable]: 's3://made-by-the-deployment',
  [parameters.table.variable]: 'made-by-the-deployment',
};

/**
 * Checks all that can be known before anything is deployed. The job is loaded as a local process loads it, in one of its own.
 *
 * @param own variables for the job, with their values, beside those that ONCEFLOW_JOB_ENVIRONMENT names
 * @param machine the environment of this process
 * @throws ConfigError naming every wrong or contradictory parameter, or JobDefinitionError: the module has no job.
 */
export function readSettings(given: Given, own: Given = {}, machine: Given = process.env): DeploymentSettings {
  const madeHere = rows.flatMap(([, row]) => refusalOf(row, given));
  if (madeHere.length > 0) throw new ConfigError(madeHere);
  const config = configOf('infra', readConfig({ ...given, ...PLACEHOLDERS }));
  const forJob = jobEnvironment(config, own, machine);
  const others = Object.entries(machine).filter(([name]) => !isOurs(name));
  const job = describeJob('source', { env: { ...Object.fromEntries(others), ...forJob, ...given, ...PLACEHOLDERS } });
  const configured: ConfiguredJob = { config, job };
  const environment = { ...forJob, ...environmentOf(given) };
  const prefix = config.functionPrefix ?? job.name;
  const faults = [
    ...prefixFaults(prefix),
    ...budgetFaults(config),
    ...recoveryFaults(configured),
    ...standbyFaults(configured),
    ...functionFaults(configured),
    ...stateFaults(configured),
    ...kafkaFaults(configured),
    ...sinkFaults(configured),
    ...adoptionFaults(configured),
    ...environmentFaults(job.reads, environment, machine),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  readCertificates(config);
  for (const [cluster, own] of Object.entries(config.kafkaClusters ?? {}))
    readCertificates(own, clusterParameters(cluster).kafkaCaFile.variable);
  return { ...configured, environment, prefix, adopt: adoptedOf(config) };
}

/**
 * Parameters from the environment and from the CDK's context (`cdk deploy -c ONCEFLOW_PARALLELISM=4`, or cdk.json).
 *
 * @throws ConfigError when both say something, and not the same.
 */
export function givenBy(environment: Given, context: Readonly<Record<string, unknown>>): Given {
  const given: Record<string, string> = {};
  const faults: ConfigFault[] = [];
  for (const [option, value] of Object.entries(environment))
    if (isOurs(option) && value !== undefined && value !== '') given[option] = value;
  for (const [option, value] of Object.entries(context).filter(([name]) => isOurs(name))) {
    const text = String(value);
    const other = given[option];
    if (other !== undefined && other !== text)
      faults.push({ option, value: text, rule: `what the environment says, ${JSON.stringify(other)}`, mend: 'leave one of the two out' });
    given[option] ??= text;
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return given;
}

function isOurs(option: string): boolean {
  return option.startsWith('ONCEFLOW_');
}

function refusalOf({ variable, deployment }: Parameter<unknown>, given: Given): ConfigFault[] {
  const value = given[variable];
  if (deployment !== 'makes' || value === undefined || value === '') return [];
  const adopts = ADOPTED_BY[variable];
  const mend = adopts === undefined ? 'leave it out' : `leave it out; that of an earlier deployment is named by ${adopts}`;
  return [{ option: variable, value, rule: 'left to the deployment, which makes it', mend }];
}

function environmentOf(given: Given): Record<string, string> {
  const all = [...rows.map(([, row]) => row), ...clustersIn(given).flatMap((cluster) => Object.values(clusterParameters(cluster)))];
  const entries = all.flatMap(({ variable, readBy, deployment }): [string, string][] => {
    const value = given[variable];
    const goesAlong = deployment === undefined && readBy.some((reader) => IN_FUNCTIONS.includes(reader));
    return value === undefined || value === '' || !goesAlong ? [] : [[variable, value]];
  });
  return Object.fromEntries(entries);
}

function prefixFaults(prefix: string): ConfigFault[] {
  if (isPrefix(prefix)) return [];
  return [{ option: parameters.functionPrefix.variable, value: prefix, rule: PREFIX_RULE, mend: 'set a shorter one' }];
}

/** A crash is mended by a tick, and then the new coordinator has to start. */
function recoveryFaults({ config }: ConfiguredJob): ConfigFault[] {
  const { leaseMs, recoveryTimeoutMs, standby } = config;
  const worstMs = START_MS + longestVacancyMs(leaseMs, standby);
  if (recoveryTimeoutMs >= worstMs) return [];
  return [
    {
      option: parameters.recoveryTimeoutMs.variable,
      value: `${recoveryTimeoutMs}`,
      rule: `at least ${Math.ceil(worstMs)}: ticks come every minute, the lease is ${leaseMs} ms (${parameters.leaseMs.variable}), and a coordinator starts within ${START_MS} ms`,
      mend: `raise it, or set ${parameters.standby.variable}=keep`,
    },
  ];
}

function standbyFaults({ config: { standby, idleExitMs } }: ConfiguredJob): ConfigFault[] {
  if (standby === 'none' || idleExitMs === undefined) return [];
  return [
    {
      option: parameters.standby.variable,
      value: standby,
      rule: `none with ${parameters.idleExitMs.variable}=${idleExitMs}: a standby would take over from a coordinator that ends because there is nothing to do`,
      mend: 'leave one of the two out',
    },
  ];
}

function adoptedOf({ adoptTable: tableName, adoptBlobs }: ConfigOf<'infra'>): AdoptedStorage | undefined {
  if (tableName === undefined || adoptBlobs === undefined) return undefined;
  return { tableName, bucketName: adoptBlobs.bucket, blobPrefix: adoptBlobs.prefix };
}

/** The rows name the blobs: the one without the other is of no use. What is adopted was not made by this stack, nor goes with it. */
function adoptionFaults({ config }: ConfiguredJob): ConfigFault[] {
  const { adoptTable, adoptBlobs, removal } = config;
  if (adoptTable === undefined && adoptBlobs === undefined) return [];
  const fault = (option: string, rule: string, mend: string): ConfigFault[] => [{ option, value: undefined, rule, mend }];
  if (adoptTable === undefined) return fault(ADOPT.table, `set with ${ADOPT.blobs}: the rows of the table name the blobs`, 'set both');
  if (adoptBlobs === undefined) return fault(ADOPT.blobs, `set with ${ADOPT.table}: the rows of the table name the blobs`, 'set both');
  if (removal === 'retain') return [];
  const rule = `retain with ${ADOPT.table}: what is adopted is no part of the stack, and stays when it is deleted`;
  return [{ option: parameters.removal.variable, value: removal, rule, mend: 'leave it out' }];
}

/** What the functions log in to Kafka with is not in their package, and IAM has to be told of which cluster it is. */
function kafkaFaults({ config }: ConfiguredJob): ConfigFault[] {
  const named = Object.entries(config.kafkaClusters ?? {});
  return [...loginFaults(config, parameters), ...named.flatMap(([cluster, own]) => loginFaults(own, clusterParameters(cluster)))];
}

function loginFaults(
  {
    kafkaCredentialsFile,
    kafkaSaslMechanism,
    kafkaClusterArn,
  }: Pick<ClusterConfig, 'kafkaCredentialsFile' | 'kafkaSaslMechanism' | 'kafkaClusterArn'>,
  names: Readonly<Record<keyof ClusterConfig, Parameter<unknown>>>,
): ConfigFault[] {
  if (kafkaCredentialsFile !== undefined) {
    const rule = `unset in a deployment, which takes user and password from ${names.kafkaSecretArn.variable}`;
    const mend = `put them into a secret of AWS Secrets Manager, and set ${names.kafkaSecretArn.variable} instead`;
    return [{ option: names.kafkaCredentialsFile.variable, value: kafkaCredentialsFile, rule, mend }];
  }
  if (kafkaSaslMechanism !== 'AWS_MSK_IAM' || kafkaClusterArn !== undefined) return [];
  const rule = `${names.kafkaClusterArn.rule}, with ${names.kafkaSaslMechanism.variable}=AWS_MSK_IAM: the functions get their permissions on it`;
  return [{ option: names.kafkaClusterArn.variable, value: undefined, rule, mend: 'set it' }];
}

function sinkFaults({ job: { plan } }: ConfiguredJob): ConfigFault[] {
  return plan.stages.flatMap((stage) => (stage.kind === 'sink' ? sinkFault(stage.id, stage.to) : []));
}

/** What a deployment has against where a sink writes to. A new kind of sink has to say it: without that this does not compile. */
function sinkFault(id: string, to: SinkTarget): ConfigFault[] {
  switch (to.kind) {
    case 'files': {
      // A function's disk is gone with it.
      if (!to.location.startsWith('file:')) return [];
      const rule = 's3://bucket or s3://bucket/prefix in a deployment: what a function writes to its own disk is lost';
      return [{ option: `location of sink ${id}`, value: to.location, rule, mend: 'name a bucket in fileSink' }];
    }
    case 'kafka':
    case 'deliver':
    case 'dynamodb':
      return [];
  }
}

/** A bound that memory has no room for is none: the function would be ended before state went to its disk. */
function stateFaults({ config: { stateMemoryBytes, functionMemoryMb } }: ConfiguredJob): ConfigFault[] {
  const mostBytes = Math.max(functionMemoryMb - BESIDE_STATE_MB, 0) * MB;
  if (stateMemoryBytes === undefined || stateMemoryBytes <= mostBytes) return [];
  return [
    {
      option: parameters.stateMemoryBytes.variable,
      value: `${stateMemoryBytes}`,
      rule: `at most ${mostBytes}: a function has ${functionMemoryMb} MB (${parameters.functionMemoryMb.variable}), ${BESIDE_STATE_MB} of which are for all else than state`,
      mend: 'lower the bound, or give functions more memory',
    },
  ];
}

function functionFaults({ job: { parallelism, plan }, config }: ConfiguredJob): ConfigFault[] {
  const operators = plan.stages.filter(({ kind }) => kind === 'operator');
  const count = operators.reduce((sum, { id }) => sum + rangeOfStage(parallelism, id).most, 0);
  if (count <= MOST_FUNCTIONS) return [];
  const { variable } = rangeOf(config.parallelism).most > 1 ? parameters.parallelism : parameters.stageParallelism;
  return [
    {
      option: variable,
      value: operators.map(({ id }) => `${id}=${subtasksText(rangeOfStage(parallelism, id))}`).join(','),
      rule: `at most ${MOST_FUNCTIONS} operator subtasks in all: each is a function of its own, and a CloudFormation stack holds 500 resources`,
      mend: 'lower it; more memory for each function (ONCEFLOW_FUNCTION_MEMORY_MB) gives it more of a processor',
    },
  ];
}
