import type { Kind } from '../kinds.ts';

/** Who reads the value of a parameter. */
export type Reader =
  /** Every process that opens a job, its stores and its brokers: functions, commands and the local runner. */
  | 'host'
  /** The loop of the coordinator. */
  | 'coordinator'
  | 'source'
  | 'operator'
  | 'sink'
  /** `npx onceflow`. */
  | 'cli'
  /** Long-lived processes: `onceflow run` and `onceflow worker`. */
  | 'workers'
  /** What makes a deployment. */
  | 'infra'
  /** The stack of a checkout. */
  | 'local'
  | 'test'
  | 'bench';

/** One row of the table. */
export interface Parameter<T, Who extends Reader = Reader> extends Kind<T> {
  /** The environment variable. */
  readonly variable: `ONCEFLOW_${string}`;
  readonly unit: string | undefined;
  /** What it does, for docs/configuration.md and for people who read an error. */
  readonly doc: string;
  readonly whenUnset: WhenUnset;
  readonly readBy: readonly Who[];
  /**
   * What a deployment does with it. `makes`: it makes the value, and refuses one that is given. `replaces`: it takes the value that
   * is given, and its functions get another. Undefined: the functions that read it get what is given.
   */
  readonly deployment: 'makes' | 'replaces' | undefined;
}

export type WhenUnset =
  /** `text` is parsed as if it had been set. */
  | { readonly is: 'default'; readonly text: string }
  | { readonly is: 'refused'; readonly example: string }
  /** The value is undefined; `means` says what the engine does then. */
  | { readonly is: 'undefined'; readonly means: string };

interface Words<T, Who extends Reader> {
  readonly variable: Parameter<unknown>['variable'];
  readonly kind: Kind<T>;
  readonly unit?: string;
  readonly readBy: readonly Who[];
  readonly deployment?: 'makes' | 'replaces';
  readonly doc: string;
}

export interface RequiredParameter<T, Who extends Reader = Reader> extends Parameter<T, Who> {
  readonly whenUnset: Extract<WhenUnset, { is: 'refused' }>;
}

export function required<T, Who extends Reader>(words: Words<T, Who> & { readonly example: string }): RequiredParameter<T, Who> {
  const whenUnset = { is: 'refused', example: words.example } as const;
  return { ...row(words, whenUnset), whenUnset };
}

export function defaulted<T, Who extends Reader>(words: Words<T, Who> & { readonly default: string }): Parameter<T, Who> {
  return row(words, { is: 'default', text: words.default });
}

export function optional<T, Who extends Reader>(words: Words<T, Who> & { readonly unset: string }): Parameter<T | undefined, Who> {
  return row(words, { is: 'undefined', means: words.unset });
}

function row<T, Who extends Reader>(words: Words<T, Who>, whenUnset: WhenUnset): Parameter<T, Who> {
  const { variable, kind, unit, readBy, deployment, doc } = words;
  return { variable, unit, doc, rule: kind.rule, schema: kind.schema, whenUnset, readBy, deployment };
}
