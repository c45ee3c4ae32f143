import { moduleOf } from '../../dev/job-module.ts';
import { describeJob, type JobSummary } from '../../host/job/describe.ts';
import { type ParameterValue, parameterValues } from '../../lib/config/origins.ts';
import { parameters } from '../../lib/config/parameters.ts';
import { readToolConfig } from '../../lib/config/read-config.ts';
import { type CommandResult, plainCommand } from '../command.ts';
import { drawPlan } from '../draw-plan.ts';
import { EXIT } from '../exit-codes.ts';
import { flag } from '../options.ts';
import { paint, tableOf } from '../text.ts';

export default plainCommand({
  name: 'describe',
  usage: 'a job: its stages, what they do, and its parameters with where each comes from',
  more: `The job is MODULE, or what ${parameters.job.variable} names, or ./src/job.ts. It asks neither table nor brokers. A parameter comes from the environment, or from its default; where it has none, from the job's
definition. There is no configuration file.`,
  arguments: { takes: '[MODULE]', most: 1 },
  options: { set: flag('of the parameters only those that are set') },
  examples: [
    { call: 'describe', does: 'the graph and every parameter of ./src/job.ts' },
    { call: 'describe jobs/clicks.ts --set', does: 'the graph of another, and what this environment changes' },
  ],
  async run({ env }, { set }, [named]) {
    readToolConfig(env);
    const job = moduleOf(named, env, 'describe');
    const values = parameterValues(env).filter(({ from }) => !set || from === 'environment');
    return describeResult(describeJob('plan', { env: { ...env, [parameters.job.variable]: job } }), values);
  },
});

/** Parameters that only override what the job's own definition says. */
const OF_THE_JOB: readonly string[] = [parameters.jobName.variable, parameters.topics.variable, parameters.startingOffsets.variable];

type Origin = 'environment' | 'default' | 'job' | 'nowhere';

export function describeResult(job: Omit<JobSummary, 'reads'>, values: readonly ParameterValue[]): CommandResult {
  const shown = values.map(({ from, ...value }) => ({ ...value, from: originOf(value.variable, from) }));
  const { name, fingerprint, graph, plan, parallelism } = job;
  const rows = shown.map(({ variable, value, unit, from, means }) => [variable, valueText(value, unit, means), from]);
  const table = rows.length === 0 ? 'no parameter is set' : tableOf(COLUMNS, rows);
  return {
    code: EXIT.ok,
    json: { job: name, fingerprint, stages: plan.stages, edges: plan.edges, graph, parallelism, parameters: shown },
    text: `job ${name}\n\n${drawPlan({ graph, plan, parallelism })}\n\n${paint('bold', 'parameters')}\n${table}`,
  };
}

function originOf(variable: string, from: ParameterValue['from']): Origin {
  return from !== 'environment' && OF_THE_JOB.includes(variable) ? 'job' : from;
}

function valueText(value: string | null, unit: string | undefined, means: string | undefined): string {
  if (value === null) return `(${means ?? 'none'})`;
  return unit === undefined ? value : `${value} ${unit}`;
}

const COLUMNS = [{ title: 'parameter' }, { title: 'value' }, { title: 'from' }] as const;
