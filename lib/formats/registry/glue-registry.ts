import { JobDefinitionError } from '../../graph/job.ts';
import { reasonOf } from '../../ports/reason.ts';
import { RegistryProblem } from '../../ports/registry-problem.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { KnownSchemas } from './known-schemas.ts';
import type { SchemaHeader, SchemaRegistry } from './registry.ts';
import type { OwnSchema, Schema, SchemaId, SchemaType } from './schema.ts';

/** A schema as AWS Glue has it. */
export interface GlueSchema {
  /** The schema's text. */
  readonly definition: string;
  /** In which language it is. */
  readonly format: Exclude<SchemaType, 'PROTOBUF'>;
}

/** What of AWS Glue's API is needed, by whichever client: a rejection is told, and asked again with the next attempt. */
export interface GlueRegistryOptions {
  /** The schema of a version's UUID (GetSchemaVersion); undefined: Glue has none of it (EntityNotFoundException). */
  readonly schemaOf: (versionId: string) => Promise<GlueSchema | undefined>;
  /**
   * The UUID of the version of this name that is this schema (GetSchemaByDefinition), and, if it may be, of one that is registered for it
   * (RegisterSchemaVersion, CreateSchema); undefined: there is none, or it is not compatible.
   */
  readonly versionOf: (schema: GlueSchema & { readonly name: string; readonly mayRegister: boolean }) => Promise<string | undefined>;
}

const VERSION = 3;
const NO_COMPRESSION = 0;
const BYTES = 18;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** A byte 3, one that says how what follows is compressed, and the UUID in 16 bytes. */
const glueHeader: SchemaHeader = {
  bytes: BYTES,
  write(id, out) {
    out.u8(VERSION);
    out.u8(NO_COMPRESSION);
    out.raw(Buffer.from(String(id).replaceAll('-', ''), 'hex'));
  },
  read(bytes, start, end) {
    if (end - start < BYTES || bytes[start] !== VERSION)
      throw new MalformedError(
        `${end - start} bytes that begin with 0x${bytes.toString('hex', start, Math.min(start + 1, end))} are no record behind a header of AWS Glue`,
      );
    if (bytes[start + 1] !== NO_COMPRESSION)
      throw new MalformedError(
        `the record is compressed (${bytes[start + 1]}), and only records that are not are read: set the serializer's compression to NONE`,
      );
    const hex = bytes.toString('hex', start + 2, start + BYTES);
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  },
};

class GlueRegistry implements SchemaRegistry {
  readonly place = "AWS Glue's schema registry";
  readonly header = glueHeader;
  readonly #options: GlueRegistryOptions;
  readonly #schemas = new KnownSchemas();

  constructor(options: GlueRegistryOptions) {
    this.#options = options;
  }

  /** Glue's own serializers call a schema as its topic. */
  subjectOf({ topic }: { readonly topic: string }): string {
    return topic;
  }

  known(id: SchemaId): Schema | 'unknown' | undefined {
    return this.#schemas.get(id);
  }

  async fetch(id: SchemaId): Promise<void> {
    const found = await this.#asked('schemaOf', () => this.#options.schemaOf(String(id)));
    this.#schemas.set(id, found === undefined ? undefined : { type: found.format, text: found.definition, references: [] });
  }

  async idOf(name: string, { type, text, references }: OwnSchema, mayRegister: boolean): Promise<SchemaId> {
    if (type === 'PROTOBUF' || references.length > 0)
      throw new RegistryProblem(`${this.place}: ${name}: here it has schemas of Avro and JSON that refer to no others`, false);
    const id = await this.#asked('versionOf', () => this.#options.versionOf({ name, definition: text, format: type, mayRegister }));
    if (id === undefined)
      throw new RegistryProblem(
        `${this.place}: schema ${name} has no version that the job could write with. Register one, or mend the schema`,
        false,
      );
    if (!UUID.test(id))
      throw new RegistryProblem(`${this.place}: versionOf gave ${JSON.stringify(id)} for schema ${name}, and must give a UUID`, false);
    return id;
  }

  async #asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      throw new RegistryProblem(`${this.place}: ${what} throws: ${reasonOf(cause)}. Nothing is left out: the epoch is tried again`, true, {
        cause,
      });
    }
  }
}

/**
 * AWS Glue's schema registry, for Avro and JSON Schema: its header before each record, with the UUID of a schema's version. Who asks Glue is
 * the job's own client, since the job knows which registry and with which rights.
 *
 * @example
 * const registry = glueRegistry({
 *   schemaOf: (versionId) => glue.schemaOf(versionId),
 *   versionOf: ({ name, definition, format, mayRegister }) => glue.versionOf(name, definition, format, mayRegister),
 * });
 * @throws JobDefinitionError naming the option, its rule and what to do
 */
export function glueRegistry(options: GlueRegistryOptions): SchemaRegistry {
  for (const name of ['schemaOf', 'versionOf'] as const)
    if (typeof options[name] !== 'function')
      throw new JobDefinitionError(`glueRegistry: ${name} is ${typeof options[name]}, and must be a function: give one that asks Glue`);
  return new GlueRegistry(options);
}
