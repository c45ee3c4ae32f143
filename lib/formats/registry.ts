/** What a job's author imports to read and write with a schema registry, besides a format. */

export { type JsonSchemaOptions, jsonSchema } from './json-schema.ts';
export type { RegistryLogin } from './registry/client.ts';
export { type GlueRegistryOptions, type GlueSchema, glueRegistry } from './registry/glue-registry.ts';
export type { RegistryTls } from './registry/http.ts';
export type { SchemaHeader, SchemaRegistry } from './registry/registry.ts';
export type { RegistryUse } from './registry/registry-serde.ts';
export type { OwnReference, OwnSchema, Schema, SchemaId, SchemaType } from './registry/schema.ts';
export { type SchemaRegistryOptions, schemaRegistry } from './registry/schema-registry.ts';
