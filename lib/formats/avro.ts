/** Avro, by the package avsc. */

import type { Serde } from '../format/serde.ts';
import { JobDefinitionError } from '../graph/job.ts';
import type { AvroType } from './avro/avsc.ts';
import { avroReader, writeAvro } from './avro/codec.ts';
import { type AvroText, type TypeOptions, typeOf } from './avro/types.ts';
import { checkUse, RegistrySerde, type RegistryUse } from './registry/registry-serde.ts';
import type { OwnSchema } from './registry/schema.ts';

/** A schema as JSON, or its text. */
export type AvroSchema = string | object;

/** A type that a schema uses and does not define. */
export interface AvroReference {
  /** Full name of the type. */
  readonly name: string;
  /** Under which it is in the registry. @default its name */
  readonly subject?: string;
  /** The type's schema. */
  readonly schema: AvroSchema;
  /** What it uses in turn. @default nothing */
  readonly references?: readonly AvroReference[];
}

/** How values of Avro are read and written. */
export interface AvroOptions {
  /**
   * What longs become. `number`: a number, and one beyond ±(2^53 − 1) is neither read nor written. `bigint`: all of them bigints.
   * @default 'number'
   */
  readonly longs?: 'number' | 'bigint';
  /**
   * By `logicalType`, classes that extend avsc's `types.LogicalType`.
   * @default none: values are of the type below, a timestamp a long and a decimal bytes
   */
  readonly logicalTypes?: Readonly<Record<string, unknown>>;
  /** Types that the schema uses and does not define. @default none */
  readonly references?: readonly AvroReference[];
}

/** The same without a registry. */
export interface PlainAvroOptions extends AvroOptions {
  /** With which what is read was written. @default the schema itself */
  readonly writer?: AvroSchema;
}

/**
 * Values in Avro's binary encoding. With a `registry`: behind the id of the schema with which they were written, as Confluent's serializers write
 * them; what was written with another version of the schema is read as this one says (fields that it has not are passed over, those that are
 * missing get their defaults). Without: nothing stands before them, and who reads has to know how they were written.
 *
 * Records are plain objects. A union of types that JavaScript does not tell apart is an object with the type's name as its key. Values of types
 * that differ from these are refused, and told with their path; properties that the schema has not are left out.
 *
 * @example
 * kafkaSource({ topic: 'orders', value: avro<Order>(orderSchema, { registry, longs: 'bigint' }) });
 * @throws JobDefinitionError when the schema is none, or naming the option, its rule and what to do
 */
export function avro<T>(schema: AvroSchema, options: AvroOptions & RegistryUse): Serde<T>;
export function avro<T>(schema: AvroSchema, options?: PlainAvroOptions): Serde<T>;
export function avro<T>(schema: AvroSchema, options: PlainAvroOptions & Partial<RegistryUse> = {}): Serde<T> {
  const { longs = 'number', logicalTypes = {}, references = [], writer, registry } = options;
  if (longs !== 'number' && longs !== 'bigint')
    throw new JobDefinitionError(`avro: longs is ${JSON.stringify(longs)}, and must be number or bigint: leave it out for number`);
  const typeOptions = { longs, logicalTypes };
  const own = ownSchema(schema, references);
  const type = parsed('schema', own, typeOptions);
  if (registry === undefined)
    return plain(type, writer === undefined ? undefined : parsed('writer', ownSchema(writer, references), typeOptions));
  const use: RegistryUse = { ...options, registry };
  checkUse('avro', use, type.name);
  const name = 'avro';
  return new RegistrySerde<T>(
    {
      name,
      schema: own,
      recordName: type.name,
      write: (value, out) => writeAvro(name, type, value, out),
      readerOf: (written) => avroReader(name, type, typeOf(written, typeOptions)),
    },
    use,
  );
}

/** Who reads a state back has to have the schema with which it was written: so it is part of the name. */
function plain<T>(type: AvroType, writer: AvroType | undefined): Serde<T> {
  const name = `avro ${type.name ?? type.typeName.replace('abstract:', '')} ${type.fingerprint().toString('hex').slice(0, 16)}`;
  try {
    return { name, write: (value, out) => writeAvro(name, type, value, out), read: avroReader(name, type, writer) };
  } catch (cause) {
    throw new JobDefinitionError(
      `avro: what writer writes cannot be read with the schema: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

function ownSchema(schema: AvroSchema, references: readonly AvroReference[]): OwnSchema {
  return {
    type: 'AVRO',
    text: typeof schema === 'string' && !isName(schema) ? schema : JSON.stringify(schema),
    references: references.map((each) => ({
      name: each.name,
      subject: each.subject ?? each.name,
      schema: ownSchema(each.schema, each.references ?? []),
    })),
  };
}

/** `string`, and not its text `"string"`. */
function isName(schema: string): boolean {
  return /^[\w.]+$/.test(schema);
}

function parsed(option: string, schema: AvroText, options: TypeOptions): AvroType {
  try {
    return typeOf(schema, options);
  } catch (cause) {
    throw new JobDefinitionError(`avro: ${option} is no Avro schema: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
