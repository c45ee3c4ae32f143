import { clusterPrefix } from './clusters.ts';
import { deploymentParameters } from './parameters/deployment.ts';
import { epochsParameters } from './parameters/epochs.ts';
import { failuresParameters } from './parameters/failures.ts';
import { jobParameters } from './parameters/job.ts';
import { kafkaParameters } from './parameters/kafka.ts';
import { leaseParameters } from './parameters/lease.ts';
import type { Parameter, Reader, RequiredParameter } from './parameters/row.ts';
import { storageParameters } from './parameters/storage.ts';
import { toolsParameters } from './parameters/tools.ts';
import { workersParameters } from './parameters/workers.ts';

/**
 * Every parameter of the engine, once: in the file of its topic. A row there is all that a new parameter needs: its value
 * appears in `Config` and in what each of its readers has of it (`ConfigOf`), it is checked by `readConfig`, taken along by
 * a deployment if a function reads it, and documented in docs/configuration.md by `npm run docs:config`. Units are the last word of a
 * name; a variable is its name in capitals.
 */
export const parameters = {
  ...jobParameters,
  ...kafkaParameters,
  ...storageParameters,
  ...epochsParameters,
  ...leaseParameters,
  ...failuresParameters,
  ...deploymentParameters,
  ...workersParameters,
  ...toolsParameters,
};

type Table = typeof parameters;

type Values = { readonly [Name in keyof Table]: Table[Name] extends Parameter<infer T> ? T : never };

/** What is said of each cluster of Kafka: by a name in these parameters' variables, of the clusters that have one. */
export const clusterRows = [
  'brokers',
  'kafkaSecurityProtocol',
  'kafkaSaslMechanism',
  'kafkaCaFile',
  'kafkaSecretArn',
  'kafkaCredentialsFile',
  'kafkaSecretTtlMs',
  'kafkaClusterArn',
  'kafkaSecretKeyArn',
] as const satisfies readonly (keyof Table)[];
export type ClusterConfig = Pick<Values, (typeof clusterRows)[number]>;

interface NamedClusters {
  /** By name. Undefined: there is none but that of ONCEFLOW_BROKERS. */
  readonly kafkaClusters?: Readonly<Record<string, ClusterConfig>>;
}

/** The same rows as they are for a cluster with a name: `ONCEFLOW_KAFKA_<NAME>_…`. */
export function clusterParameters(cluster: string): Readonly<Record<keyof ClusterConfig, Parameter<unknown>>> {
  const entries = clusterRows.map((name) => {
    const row: Parameter<unknown> = parameters[name];
    const rest = row.variable.replace(/^ONCEFLOW_(KAFKA_)?/, '');
    return [name, { ...row, variable: `${clusterPrefix(cluster)}_${rest}` }] as const;
  });
  return Object.fromEntries(entries) as unknown as Readonly<Record<keyof ClusterConfig, Parameter<unknown>>>;
}

/** Every parameter's value, parsed and checked. */
export type Config = Values & NamedClusters;

/** Parameters that a job cannot do without. */
export type RequiredName = { [Name in keyof Table]: Table[Name] extends RequiredParameter<unknown> ? Name : never }[keyof Table];

/** What one of these readers reads. */
export type NameFor<Who extends Reader> = {
  [Name in keyof Table]: [Table[Name]['readBy'][number] & Who] extends [never] ? never : Name;
}[keyof Table];

/** The values that one of these readers reads: a value whose row does not name it, it does not have. */
export type ConfigOf<Who extends Reader> = Pick<Config, NameFor<Who>> & ([Who & ClusterReader] extends [never] ? unknown : NamedClusters);

/** Who connects to clusters, or makes what does. */
type ClusterReader = 'host' | 'infra';

/** The same for a tool that may need only some of the required ones: those that are not set are undefined. */
export type ToolConfig<Names extends keyof Values = keyof Values> = Omit<Pick<Config, Names>, RequiredName> &
  Partial<Pick<Config, Names & RequiredName>> &
  NamedClusters;

/** The rows with the names under which their values are in `Config`. */
export const rows = Object.entries(parameters) as readonly (readonly [name: keyof Table, row: Parameter<unknown>])[];

/** Of a configuration what one reader reads, and nothing else. */
export function configOf<Who extends Reader>(reader: Who, config: Config): ConfigOf<Who> {
  // By construction: a name is in `NameFor` when its row has the reader.
  const own = Object.fromEntries(rows.filter(([, { readBy }]) => readBy.includes(reader)).map(([name]) => [name, config[name]]));
  return {
    ...own,
    ...(isClusterReader(reader) && config.kafkaClusters !== undefined && { kafkaClusters: config.kafkaClusters }),
  } as unknown as ConfigOf<Who>;
}

function isClusterReader(reader: Reader): reader is ClusterReader {
  return reader === 'host' || reader === 'infra';
}
