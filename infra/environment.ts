import type { EnvironmentRead } from '../host/job/watch-environment.ts';
import { ConfigError, type ConfigFault } from '../lib/config/fault.ts';
import { type Config, parameters } from '../lib/config/parameters.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Lambda takes so much, as JSON. */
const MOST_BYTES = 4096;
const SHOWN_CHARACTERS = 40;
/** What Lambda itself sets, to values of its own. */
const OF_THE_PLATFORM = /^(AWS_.*|LAMBDA_.*|_HANDLER|_X_AMZN_TRACE_ID|PATH|LD_LIBRARY_PATH|NODE_PATH|NODE_OPTIONS|LANG|TZ)$/;
const { variable: option } = parameters.jobEnvironment;

/**
 * The variables that go along for the job's own code, with their values.
 *
 * @throws ConfigError: one of ONCEFLOW_JOB_ENVIRONMENT has none.
 */
export function jobEnvironment(config: Pick<Config, 'jobEnvironment'>, own: Environment, machine: Environment): Record<string, string> {
  const faults: ConfigFault[] = [];
  const values: Record<string, string> = {};
  for (const name of config.jobEnvironment ?? []) {
    const value = own[name] ?? machine[name];
    if (value === undefined)
      faults.push({ option: name, value, rule: `set, because ${option} names it`, mend: 'set it, or leave it out there' });
    else values[name] = value;
  }
  if (faults.length > 0) throw new ConfigError(faults);
  for (const [name, value] of Object.entries(own)) if (value !== undefined) values[name] = value;
  return values;
}

/** Of what the job reads, that which has a value here and not the same in its functions: it would be another job there. */
export function environmentFaults(reads: readonly EnvironmentRead[], functions: Environment, machine: Environment): ConfigFault[] {
  return reads.flatMap(({ name, place }): ConfigFault[] => {
    if (name === '*') {
      if (Object.keys(functions).some((given) => !given.startsWith('ONCEFLOW_'))) return [];
      const rule = `the names of what the job reads: at ${place} it takes the whole environment, of which functions have nothing`;
      return [{ option, value: undefined, rule, mend: 'name what it needs' }];
    }
    const value = machine[name];
    if (value === undefined || name in functions || OF_THE_PLATFORM.test(name)) return [];
    const rule = `the names of all that the job reads: at ${place} it reads ${name}, which is ${JSON.stringify(value)} here and which its functions do not have`;
    return [
      {
        option,
        value: undefined,
        rule,
        mend: `add ${name} to it, and this value goes along; or unset ${name}, and the job has here what it has there`,
      },
    ];
  });
}

/** @throws ConfigError: it is more than Lambda takes. */
export function checkSize(environment: Readonly<Record<string, string>>): void {
  const bytes = Buffer.byteLength(JSON.stringify(environment));
  if (bytes <= MOST_BYTES) return;
  const bySize = Object.entries(environment).sort(([, one], [, other]) => other.length - one.length);
  const longest = bySize.slice(0, 3).map(([name, value]) => `${name} with ${Buffer.byteLength(value)}`);
  const [[name, value] = ['', undefined]] = bySize;
  const rule = `shorter: Lambda takes ${MOST_BYTES} bytes of environment, and that of these functions has up to ${bytes}, most of it in ${longest.join(', ')}`;
  throw new ConfigError([
    { option: name, value: value === undefined ? value : `${value.slice(0, SHOWN_CHARACTERS)}…`, rule, mend: mendOf(name) },
  ]);
}

function mendOf(name: string): string {
  switch (name) {
    case parameters.topics.variable:
      return 'name topics in the job itself, as far as they are the same everywhere';
    case parameters.brokers.variable:
      return 'name three of the brokers: the others are learned from them';
    default:
      return 'shorten it, or put it into the module of the job';
  }
}
