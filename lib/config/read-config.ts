import { nearest } from './nearest.ts';
import { type Config, type Parameter, parameters, type RequiredName, type ToolConfig } from './parameters.ts';

/** One wrong value: the variable, what it holds, the rule that it breaks, and what to do. */
export interface ConfigFault {
  readonly option: string;
  /** Undefined when the variable is not set. */
  readonly value: string | undefined;
  readonly rule: string;
  readonly mend: string;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const count = faults.length === 1 ? 'one value is' : `${faults.length} values are`;
    super(`${count} wrong in the configuration:\n${faults.map((fault) => `  ${describe(fault)}`).join('\n')}`);
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Rules between parameters. Those about time need the broker's own limit and are in `budget.ts`. */
const rules: readonly ((config: ToolConfig) => readonly ConfigFault[])[] = [parallelismFitsKeyGroups, backoffGrows];

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
export function requiredValue<Name extends RequiredName>(config: ToolConfig, name: Name): Config[Name] {
  const value = config[name] as Config[Name] | undefined;
  if (value === undefined) throw new ConfigError([notSet(parameters[name])]);
  return value;
}

function read(env: Environment, whenMissing: (fault: ConfigFault) => ConfigFault | undefined): ToolConfig {
  const faults: ConfigFault[] = unknownVariables(env);
  const values: Record<string, unknown> = {};
  for (const [key, parameter] of Object.entries<Parameter<unknown>>(parameters)) {
    const found = readOne(parameter, env[parameter.variable]);
    if ('value' in found) values[key] = found.value;
    else {
      const fault = found.is === 'missing' ? whenMissing(found.fault) : found.fault;
      if (fault !== undefined) faults.push(fault);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  // By construction: the loop has put a parsed value under every key of the table that is not required.
  const config = values as ToolConfig;
  const contradictions = rules.flatMap((rule) => rule(config));
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return config;
}

type Found = { readonly value: unknown } | { readonly is: 'wrong' | 'missing'; readonly fault: ConfigFault };

function readOne(parameter: Parameter<unknown>, given: string | undefined): Found {
  const { variable: option, rule, whenUnset } = parameter;
  const value = given?.trim();
  if (value !== undefined && value !== '') {
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
  const known = Object.values<Parameter<unknown>>(parameters).map((parameter) => parameter.variable);
  return Object.entries(env)
    .filter(([option, value]) => option.startsWith('ONCEFLOW_') && value !== undefined && !known.some((variable) => variable === option))
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
  if (config.parallelism > most) faults.push({ option: parameters.parallelism.variable, value: `${config.parallelism}`, rule, mend });
  for (const [stage, subtasks] of Object.entries(config.stageParallelism)) {
    if (subtasks > most) faults.push({ option: parameters.stageParallelism.variable, value: `${stage}=${subtasks}`, rule, mend });
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

function describe({ option, value, rule, mend }: ConfigFault): string {
  const is = value === undefined ? 'is not set' : `is ${JSON.stringify(value)}`;
  return `${option} ${is}: it must be ${rule}; ${mend}`;
}
