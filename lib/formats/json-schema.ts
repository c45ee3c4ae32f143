import type { Serde } from '../format/serde.ts';
import { type JsonOptions, json } from '../format/serdes.ts';
import type { OutputOf, StandardSchema } from '../format/standard-schema.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { checkUse, RegistrySerde, type RegistryUse } from './registry/registry-serde.ts';
import type { OwnReference } from './registry/schema.ts';

/** How values stand behind the id of a JSON Schema. */
export interface JsonSchemaOptions<S extends StandardSchema> extends RegistryUse, JsonOptions {
  /**
   * What is read is checked by it, and what does not fit is a malformed record: any Standard Schema.
   * @default nothing is checked but that it is JSON
   */
  readonly check?: S;
  /** Schemas that `$ref`s lead to. @default none */
  readonly references?: readonly OwnReference[];
}

/**
 * Values as JSON text behind the id of a JSON Schema. The schema is for others, who find it in the registry; what this job reads is read by `check`,
 * whatever schema it was written with, and the registry is not asked for that. Losses and large numbers are as with `json`.
 *
 * @param schema a JSON Schema as an object, or its text
 * @example
 * const order = z.object({ id: z.string(), cents: z.int() });
 * jsonSchema(z.toJSONSchema(order), { check: order, registry });
 * @throws JobDefinitionError naming the option, its rule and what to do
 */
export function jsonSchema<S extends StandardSchema>(schema: object | string, options: JsonSchemaOptions<S>): Serde<OutputOf<S>>;
export function jsonSchema<T>(
  schema: object | string,
  options: RegistryUse & JsonOptions & { readonly references?: readonly OwnReference[] },
): Serde<T>;
export function jsonSchema(schema: object | string, options: JsonSchemaOptions<StandardSchema>): Serde<unknown> {
  const { check, references = [], largeIntegers } = options;
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  const recordName = titleOf(text);
  checkUse('jsonSchema', options, recordName);
  const { write, read } = check === undefined ? json({ largeIntegers }) : json(check, { largeIntegers });
  return new RegistrySerde({ name: 'json-schema', schema: { type: 'JSON', text, references }, recordName, write, read }, options);
}

/** As Confluent's serializers call a record that JSON Schema describes. */
function titleOf(text: string): string | undefined {
  try {
    const { title } = JSON.parse(text) as { readonly title?: unknown };
    return typeof title === 'string' ? title : undefined;
  } catch (cause) {
    throw new JobDefinitionError(`jsonSchema: the schema is no JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
