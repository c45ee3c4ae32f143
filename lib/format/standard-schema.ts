import { MalformedError } from '../protocol/malformed.ts';

/**
 * What of Standard Schema (https://standardschema.dev, version 1) is needed to check a value: zod, valibot, arktype and others have it.
 */
export interface StandardSchema<Output = unknown> {
  /** What a library that follows the standard puts here. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
    /** For the compiler alone. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

type SchemaResult = { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of what the schema makes of a value. */
export type OutputOf<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];

export function isStandardSchema(value: unknown): value is StandardSchema {
  // A schema may be a function: arktype's are.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Partial<StandardSchema>)['~standard'];
  return typeof standard?.validate === 'function';
}

/** So many faults of a value are told, and so much of each value. */
const MOST_TOLD = 3;
const SHOWN_CHARS = 80;

/**
 * What the schema makes of a value that was read. @param serde in errors @throws MalformedError saying for each fault the path, what is
 * wrong and what is there; `TypeError` when the schema answers with a promise
 */
export function conforming(serde: string, { '~standard': standard }: StandardSchema, value: unknown): unknown {
  const result = standard.validate(value);
  if (result instanceof Promise)
    throw new TypeError(`${serde}: the schema of ${standard.vendor} checks asynchronously: give one that answers at once`);
  if (result.issues === undefined) return result.value;
  const faults = result.issues.slice(0, MOST_TOLD).map((issue) => faultIn(value, issue));
  const more = result.issues.length > MOST_TOLD ? `; and ${result.issues.length - MOST_TOLD} more` : '';
  throw new MalformedError(`${serde}: ${faults.join('; ')}${more}`);
}

function faultIn(value: unknown, { message, path = [] }: SchemaIssue): string {
  // An array of a class of its own, as arktype's, may make another of itself by `map`.
  const keys = Array.from(path, (part) => (typeof part === 'object' ? part.key : part));
  let found = value;
  for (const key of keys) found = typeof found === 'object' && found !== null ? (found as Record<PropertyKey, unknown>)[key] : undefined;
  const where = keys.length === 0 ? 'the value' : keys.map(String).join('.');
  return `${where}: ${message}, and it is ${shown(found)}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
