import type { Config, ToolConfig } from './parameters.ts';

/** One wrong value: the variable, what it holds, the rule that it breaks, and what to do. */
export interface ConfigFault {
  /** The variable. */
  readonly option: string;
  /** Undefined when the variable is not set. */
  readonly value: string | undefined;
  /** What it may hold. */
  readonly rule: string;
  /** What to do. */
  readonly mend: string;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One for each value that is wrong. */
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const each = faults.map(describe);
    super(
      each.length === 1
        ? `wrong configuration: ${each[0]}`
        : `${each.length} values are wrong in the configuration:\n  ${each.join('\n  ')}`,
    );
    this.faults = faults;
    // What is wrong is what somebody has set: a program that ends by this error says that, and not where it looked.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** @param isSet was the parameter given, or is its value the default? */
export type Rule = (config: ToolConfig, isSet: (name: Exclude<keyof Config, 'kafkaClusters'>) => boolean) => readonly ConfigFault[];

function describe({ option, value, rule, mend }: ConfigFault): string {
  const is = value === undefined ? 'is not set' : `is ${JSON.stringify(value)}`;
  return `${option} ${is}: it must be ${rule}; ${mend}`;
}
