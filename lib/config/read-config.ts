import { awsFaults } from './aws-settings.ts';
import { ConfigError, type ConfigFault, type Rule } from './fault.ts';
import { requestTimeoutLeavesTime } from './kafka-request-timeout.ts';
import { kafkaSecurityFits, securityFaults } from './kafka-security.ts';
import { nearest } from './nearest.ts';
import type { Parameter } from './parameters/row.ts';

import {
  type ClusterConfig,
  type Config,
  type clusterParameters,
  clusterRows,
  parameters,
  type RequiredName,
  rows,
  type ToolConfig,
} from './parameters.ts';
import { clusterOfVariable, readClusters } from './read-clusters.ts';
import { rangeOf, subtasksText } from './subtasks.ts';
import { workersFit } from './workers-fit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Rules between parameters. Those about time need the broker's own limit and are in `budget.ts`. */
const rules: readonly Rule[] = [
  parallelismFitsKeyGroups,
  backoffGrows,
  pauseIsBetweenEpochs,
  restartSettingsAreOfTheStrategy,
  deadLettersHaveATopic,
  deadLettersComeToPass,
  kafkaSecurityFits,
  requestTimeoutLeavesTime,
  workersFit,
];

/**
 * The parameters' values from environment variables. A variable that is empty counts as not set; one that begins with
 * `ONCEFLOW_` and is not in the table is an error, because a misspelt option must not be ignored in silence.
 *
 * @throws ConfigError naming every fault.
 */
export function readConfig(env: Environment): Config {
  // Complete: an unset parameter that is required is a fault.
  return read(env, (missing) => missing) as Config;
}

/**
 * The same for a tool that asks for a required parameter, by `requiredValue`, only when it needs it.
 *
 * @throws ConfigError naming every fault.
 */
export function readToolConfig(env: Environment): ToolConfig {
  return read(env, () => undefined);
}

/** A required parameter's value. @throws ConfigError when it is not set. */
export function requiredValue<Name extends RequiredName>(config: Partial<Pick<Config, Name>>, name: Name): Config[Name] {
  const value: Config[Name] | undefined = config[name];
  if (value === undefined) throw new ConfigError([notSet(parameters[name])]);
  return value;
}

function read(env: Environment, whenMissing: (fault: ConfigFault) => ConfigFault | undefined): ToolConfig {
  const faults: ConfigFault[] = [...unknownVariables(env), ...awsFaults(env)];
  const values: Record<string, unknown> = {};
  for (const [key, parameter] of rows) {
    const found = readOne(parameter, env[parameter.variable]);
    if ('value' in found) values[key] = found.value;
    else {
      const fault = found.is === 'missing' ? whenMissing(found.fault) : found.fault;
      if (fault !== undefined) faults.push(fault);
    }
  }
  const named: [ClusterConfig, ClusterParameters][] = [];
  const kafkaClusters = readClusters(env, (cluster) => {
    const own = Object.fromEntries(clusterRows.map((name) => [name, valueIn(readOne(cluster[name], env[cluster[name].variable]), faults)]));
    named.push([own as unknown as ClusterConfig, cluster]);
    return own as unknown as ClusterConfig;
  });
  if (faults.length > 0) throw new ConfigError(faults);
  // By construction: the loop has put a parsed value under every key of the table that is not required.
  const config = { ...values, ...(kafkaClusters !== undefined && { kafkaClusters }) } as ToolConfig;
  const isSet = (name: keyof typeof parameters) => isGiven(env[parameters[name].variable]);
  const contradictions = [
    ...rules.flatMap((rule) => rule(config, isSet)),
    ...named.flatMap(([own, cluster]) => securityFaults(own, (name) => isGiven(env[cluster[name].variable]), cluster)),
  ];
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return config;
}

type ClusterParameters = ReturnType<typeof clusterParameters>;

/** Of a cluster that is named all that is required must be there, whoever reads it. */
function valueIn(found: Found, faults: ConfigFault[]): unknown {
  if ('value' in found) return found.value;
  faults.push(found.fault);
  return undefined;
}

type Found = { readonly value: unknown } | { readonly is: 'wrong' | 'missing'; readonly fault: ConfigFault };

function readOne(parameter: Parameter<unknown>, given: string | undefined): Found {
  const { variable: option, rule, whenUnset } = parameter;
  if (isGiven(given)) {
    const value = given.trim();
    const parsed = parameter.schema.safeParse(value);
    return parsed.success ? { value: parsed.data } : { is: 'wrong', fault: { option, value, rule, mend: mendOf(parameter) } };
  }
  switch (whenUnset.is) {
    case 'default':
      return { value: parameter.schema.parse(whenUnset.text) };
    case 'undefined':
      return { value: undefined };
    case 'refused':
      return { is: 'missing', fault: notSet(parameter) };
  }
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

function notSet(parameter: Parameter<unknown>): ConfigFault {
  return { option: parameter.variable, value: undefined, rule: parameter.rule, mend: mendOf(parameter) };
}

function mendOf(parameter: Parameter<unknown>): string {
  const { whenUnset } = parameter;
  switch (whenUnset.is) {
    case 'default':
      return whenUnset.text === '' ? 'correct it, or unset it' : `correct it, or unset it for the default, ${whenUnset.text}`;
    case 'undefined':
      return `correct it, or unset it for ${whenUnset.means}`;
    case 'refused':
      return `set it, e.g. ${parameter.variable}=${whenUnset.example}`;
  }
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): ConfigFault[] {
  const known = rows.map(([, { variable }]) => variable);
  return Object.entries(env)
    .filter(
      ([option, value]) =>
        option.startsWith('ONCEFLOW_') &&
        value !== undefined &&
        !known.some((variable) => variable === option) &&
        clusterOfVariable(option) === undefined,
    )
    .map(([option, value]) => ({
      option,
      value,
      rule: 'a parameter of the engine, and there is none of this name',
      mend: `rename it (the nearest is ${nearest(option, known)}) or remove it`,
    }));
}

function parallelismFitsKeyGroups(config: ToolConfig): readonly ConfigFault[] {
  const most = config.maxParallelism;
  const rule = `at most ONCEFLOW_MAX_PARALLELISM (${most}): a subtask without a key group would have nothing to do`;
  const mend = 'lower it; ONCEFLOW_MAX_PARALLELISM can only be raised for a job that has never run';
  const faults: ConfigFault[] = [];
  if (rangeOf(config.parallelism).most > most)
    faults.push({ option: parameters.parallelism.variable, value: subtasksText(config.parallelism), rule, mend });
  for (const [stage, subtasks] of Object.entries(config.stageParallelism)) {
    if (rangeOf(subtasks).most > most)
      faults.push({ option: parameters.stageParallelism.variable, value: `${stage}=${subtasksText(subtasks)}`, rule, mend });
  }
  return faults;
}

function backoffGrows(config: ToolConfig): readonly ConfigFault[] {
  if (config.restartBackoffMs <= config.restartBackoffMaxMs) return [];
  return [
    {
      option: parameters.restartBackoffMs.variable,
      value: `${config.restartBackoffMs}`,
      rule: `at most ONCEFLOW_RESTART_BACKOFF_MAX_MS (${config.restartBackoffMaxMs})`,
      mend: 'lower it, or raise ONCEFLOW_RESTART_BACKOFF_MAX_MS',
    },
  ];
}

function pauseIsBetweenEpochs(config: ToolConfig, isSet: (name: keyof typeof parameters) => boolean): readonly ConfigFault[] {
  if (config.minPauseMs === 0 || !isSet('maxConcurrentEpochs') || config.maxConcurrentEpochs === 1) return [];
  return [
    {
      option: parameters.maxConcurrentEpochs.variable,
      value: `${config.maxConcurrentEpochs}`,
      rule: `1 with ONCEFLOW_MIN_PAUSE_MS=${config.minPauseMs}: a pause between the commit of an epoch and the start of the next leaves one at a time`,
      mend: 'unset it, or set ONCEFLOW_MIN_PAUSE_MS=0',
    },
  ];
}

type RestartSetting =
  | 'restartBackoffMs'
  | 'restartBackoffMaxMs'
  | 'restartAttempts'
  | 'restartDelayMs'
  | 'restartMaxFailures'
  | 'restartFailureIntervalMs';

/** What each strategy reads. */
const restartSettings: Readonly<Record<Config['restartStrategy'], readonly RestartSetting[]>> = {
  exponential: ['restartBackoffMs', 'restartBackoffMaxMs'],
  'fixed-delay': ['restartAttempts', 'restartDelayMs'],
  'failure-rate': ['restartMaxFailures', 'restartFailureIntervalMs', 'restartDelayMs'],
  none: [],
};

function restartSettingsAreOfTheStrategy(config: ToolConfig, isSet: (name: keyof typeof parameters) => boolean): readonly ConfigFault[] {
  const read = restartSettings[config.restartStrategy];
  return [...new Set(Object.values(restartSettings).flat())]
    .filter((name) => !read.includes(name) && isSet(name))
    .map((name) => {
      const readers = Object.entries(restartSettings).flatMap(([strategy, names]) => (names.includes(name) ? [strategy] : []));
      return {
        option: parameters[name].variable,
        value: `${config[name]}`,
        rule: `unset with ONCEFLOW_RESTART_STRATEGY=${config.restartStrategy}, which does not read it`,
        mend: `unset it, or set ONCEFLOW_RESTART_STRATEGY=${readers.join(' or ')}`,
      };
    });
}

function deadLettersHaveATopic(config: ToolConfig): readonly ConfigFault[] {
  const { poisonPolicy, deadLetterTopic } = config;
  const option = parameters.deadLetterTopic.variable;
  if (poisonPolicy === 'dead-letter' && deadLetterTopic === undefined) {
    const rule = 'the topic for the records that ONCEFLOW_POISON_POLICY=dead-letter leaves out';
    return [
      { option, value: undefined, rule, mend: 'set it to a topic that exists, or unset ONCEFLOW_POISON_POLICY for the default, stop' },
    ];
  }
  if (poisonPolicy === 'stop' && deadLetterTopic !== undefined) {
    const rule = 'unset with ONCEFLOW_POISON_POLICY=stop, which leaves no record out';
    return [{ option, value: deadLetterTopic, rule, mend: 'unset it, or set ONCEFLOW_POISON_POLICY=dead-letter' }];
  }
  return [];
}

/** A strategy that gives the job up before a record has failed often enough leaves nothing to dead-letter. */
function deadLettersComeToPass(config: ToolConfig): readonly ConfigFault[] {
  const { poisonPolicy, poisonAttempts, restartStrategy, restartAttempts, restartMaxFailures, restartDelayMs, restartFailureIntervalMs } =
    config;
  if (poisonPolicy !== 'dead-letter') return [];
  const refused = (because: string, mend: string): readonly ConfigFault[] => {
    const value = poisonAttempts === Number.POSITIVE_INFINITY ? 'unlimited' : `${poisonAttempts}`;
    return [{ option: parameters.poisonAttempts.variable, value, rule: `reached for a dead letter to be written, and ${because}`, mend }];
  };
  if (poisonAttempts === Number.POSITIVE_INFINITY)
    return refused('a record that is tried for ever is never left out', 'set a number, or ONCEFLOW_POISON_POLICY=stop');
  const mend = (name: 'restartAttempts' | 'restartMaxFailures') =>
    `lower it, or raise ${parameters[name].variable} to ${poisonAttempts} or more`;
  switch (restartStrategy) {
    case 'none':
      return refused('ONCEFLOW_RESTART_STRATEGY=none stops the job at the first failure', 'choose another ONCEFLOW_RESTART_STRATEGY');
    case 'fixed-delay':
      if (restartAttempts >= poisonAttempts) return [];
      return refused(`ONCEFLOW_RESTART_ATTEMPTS=${restartAttempts} in a row stop the job before`, mend('restartAttempts'));
    case 'failure-rate':
      if (restartMaxFailures >= poisonAttempts || restartDelayMs * restartMaxFailures >= restartFailureIntervalMs) return [];
      return refused(
        `the job stops before, after more than ONCEFLOW_RESTART_MAX_FAILURES=${restartMaxFailures} failures in ONCEFLOW_RESTART_FAILURE_INTERVAL_MS=${restartFailureIntervalMs}, ONCEFLOW_RESTART_DELAY_MS=${restartDelayMs} apart`,
        mend('restartMaxFailures'),
      );
    default:
      return [];
  }
}
