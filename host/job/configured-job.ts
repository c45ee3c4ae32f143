import { byName, ofName } from '../../lib/config/by-name.ts';
import { clusterOf, nameInCluster } from '../../lib/config/clusters.ts';
import { ConfigError } from '../../lib/config/fault.ts';
import { type Config, type ConfigOf, clusterParameters, parameters } from '../../lib/config/parameters.ts';
import { readConfig } from '../../lib/config/read-config.ts';
import { type Subtasks, subtasksText } from '../../lib/config/subtasks.ts';
import type { JobDefinition } from '../../lib/graph/job.ts';
import { applyOverrides } from '../../lib/graph/overrides.ts';
import { compilePlan } from '../../lib/plan/compile.ts';
import type { PhysicalPlan } from '../../lib/plan/plan.ts';
import { loadJob } from './load-job.ts';
import { topicsRead, topicsWritten } from './topics.ts';

/** A job as the configuration has it run. */
export interface ConfiguredJob {
  readonly config: Config;
  readonly job: JobDefinition;
  readonly plan: PhysicalPlan;
  /** Subtasks of every stage. */
  readonly parallelism: Readonly<Record<string, Subtasks>>;
}

/**
 * The configuration and the job, with the configuration's overrides applied. Connects to nothing.
 *
 * @throws ConfigError naming every wrong parameter, or JobDefinitionError when the module of the job has no job or the
 * overrides do not fit it.
 */
export async function readJob(env: NodeJS.ProcessEnv): Promise<ConfiguredJob> {
  const config = readConfig(env);
  return configureJob(config, await loadJob(config.job));
}

/** @throws ConfigError, JobDefinitionError: the configuration does not fit the job. */
export function configureJob(config: Config, loaded: JobDefinition): ConfiguredJob {
  const configured = { config, ...planJob(config, loaded) };
  checkClusters(config, configured.plan);
  return configured;
}

/** @throws ConfigError: the job names a cluster, and nobody says where it is */
function checkClusters({ kafkaClusters }: Pick<Config, 'kafkaClusters'>, plan: PhysicalPlan): void {
  const topics = [...topicsRead(plan), ...topicsWritten(plan)];
  const missing = topics.find((topic) => clusterOf(topic) !== '' && ofName(kafkaClusters, clusterOf(topic)) === undefined);
  if (missing === undefined) return;
  const { brokers } = clusterParameters(clusterOf(missing));
  const rule = `${brokers.rule}: job ${plan.job} uses topic ${nameInCluster(missing)} of cluster ${clusterOf(missing)}`;
  throw new ConfigError([{ option: brokers.variable, value: undefined, rule, mend: 'set it' }]);
}

/** What of a configuration changes a job, or how it runs. */
type JobOverrides = Pick<
  ConfigOf<'host'>,
  'jobName' | 'topics' | 'startingOffsets' | 'deadLetterTopic' | 'parallelism' | 'stageParallelism'
>;

/** The same of a configuration that may lack what only a running job needs. @throws as `configureJob` */
export function planJob(config: JobOverrides, loaded: JobDefinition): Omit<ConfiguredJob, 'config'> {
  const { jobName, topics, startingOffsets, deadLetterTopic } = config;
  const named = jobName === undefined ? loaded : { ...loaded, name: jobName };
  const job = applyOverrides(named, { topics: new Map(Object.entries(topics)), startingOffsets });
  const plan = compilePlan(job, deadLetterTopic);
  return { job, plan, parallelism: parallelismOf(config, job.name, plan) };
}

function parallelismOf({ parallelism, stageParallelism }: JobOverrides, job: string, { stages }: PhysicalPlan): Record<string, Subtasks> {
  const ids = stages.map(({ id }) => id);
  const unknown = Object.keys(stageParallelism).filter((stage) => !ids.includes(stage));
  if (unknown.length > 0) {
    throw new ConfigError([
      {
        option: parameters.stageParallelism.variable,
        value: Object.entries(stageParallelism)
          .map(([stage, subtasks]) => `${stage}=${subtasksText(subtasks)}`)
          .join(','),
        rule: `of stages that job ${job} has: ${ids.join(', ')}`,
        mend: `correct ${unknown.join(', ')}`,
      },
    ]);
  }
  return byName(stages.map(({ id, subtasks = parallelism }) => [id, ofName(stageParallelism, id) ?? subtasks]));
}
