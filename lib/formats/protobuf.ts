/** Protobuf, by the package @bufbuild/protobuf. */

import { type DescFile, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type ByteWriter, nameOf } from '../format/byte-writer.ts';
import type { Serde } from '../format/serde.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { MalformedError } from '../protocol/malformed.ts';
import { checkValues } from './protobuf/check-values.ts';
import { indexBytes, readIndexes } from './protobuf/message-indexes.ts';
import { messageAt, messageNamesOf, placesOf } from './protobuf/message-names.ts';
import { checkUse, type ReadValue, RegistrySerde, type RegistryUse } from './registry/registry-serde.ts';
import type { OwnSchema, Schema } from './registry/schema.ts';

/** How messages are read and written. */
export interface ProtobufOptions extends RegistryUse {
  /**
   * The `.proto` file that the message is in, as it is in the registry. What it imports is registered by the path of the import.
   * @default its descriptor, in Base64, which Confluent's registry takes as well
   */
  readonly proto?: string;
}

/**
 * Messages of Protobuf, of a schema that `protoc-gen-es` has made. With a `registry`: behind the id of the file with which they were written, and
 * which of its messages they are, as Confluent's serializers write them; a record of another message is malformed. Without: the message alone.
 * Fields of 64 bits are bigints. Fields that this schema has not are kept, and written again.
 *
 * @example
 * kafkaSource({ topic: 'orders', value: protobuf(OrderSchema, { registry }) });
 * @throws JobDefinitionError naming the option, its rule and what to do
 */
export function protobuf<Desc extends DescMessage>(schema: Desc, options?: ProtobufOptions): Serde<MessageShape<Desc>> {
  if ((schema as Partial<DescMessage> | undefined)?.kind !== 'message')
    throw new JobDefinitionError(
      `protobuf: schema is ${nameOf(schema)}, and must be a message's: give what protoc-gen-es calls OrderSchema`,
    );
  const name = `protobuf ${schema.typeName}`;
  const write = (value: MessageShape<Desc>, out: ByteWriter) => writeMessage(name, schema, value, out);
  const read = messageReader(name, schema);
  if (options === undefined) return { name, write, read };
  checkUse('protobuf', options, schema.typeName);
  const own = ownSchema(schema.file, options.proto);
  const indexes = indexBytes(placeOf(schema, own.text));
  return new RegistrySerde<MessageShape<Desc>>(
    {
      name,
      schema: own,
      recordName: schema.typeName,
      write(value, out) {
        out.raw(indexes);
        write(value, out);
      },
      readerOf: (written) => indexedReader(name, schema, written, read),
    },
    options,
  );
}

function writeMessage<Desc extends DescMessage>(name: string, schema: Desc, value: MessageShape<Desc>, out: ByteWriter): void {
  const typeName: unknown = (value as { readonly $typeName?: unknown } | null | undefined)?.$typeName;
  if (typeName !== schema.typeName)
    throw new TypeError(`${name}: expected a message that create(…) makes, got ${typeof typeName === 'string' ? typeName : nameOf(value)}`);
  try {
    checkValues(schema, value);
    out.raw(toBinary(schema, value));
  } catch (cause) {
    throw new TypeError(`${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function messageReader<Desc extends DescMessage>(name: string, schema: Desc): ReadValue<MessageShape<Desc>> {
  return (bytes, start, end) => {
    try {
      // A copy: what is made of it has views on it.
      return fromBinary(schema, new Uint8Array(bytes.subarray(start, end)));
    } catch (cause) {
      throw new MalformedError(`${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  };
}

/** Reads behind the indexes, which say what it is. */
function indexedReader<T>(name: string, { typeName }: DescMessage, { text }: Schema, read: ReadValue<T>): ReadValue<T> {
  const names = messageNamesOf(text);
  const isFirst = messageAt(names, [0]) === typeName;
  return (bytes, start, end) => {
    // Nearly all are the first of their file.
    if (isFirst && bytes[start] === 0 && start < end) return read(bytes, start + 1, end);
    const { path, at } = readIndexes(bytes, start, end);
    const found = messageAt(names, path);
    if (found !== typeName)
      throw new MalformedError(`${name}: it is ${found ?? `the message ${path.join('.')}, which its schema has not`}, and no ${typeName}`);
    return read(bytes, at, end);
  };
}

/** What every registry knows, and nobody registers. */
const BUILT_IN = /^(google\/protobuf|google\/type|confluent)\//;

function ownSchema(
  { proto, dependencies }: DescFile,
  text = Buffer.from(toBinary(FileDescriptorProtoSchema, proto)).toString('base64'),
): OwnSchema {
  const references = dependencies
    .filter((file) => !BUILT_IN.test(file.proto.name))
    .map((file) => ({ name: file.proto.name, subject: file.proto.name, schema: ownSchema(file) }));
  return { type: 'PROTOBUF', text, references };
}

function placeOf({ typeName }: DescMessage, text: string): readonly number[] {
  const place = fileFaults(() => placesOf(messageNamesOf(text), typeName));
  if (place === undefined)
    throw new JobDefinitionError(
      `protobuf: proto has no message ${typeName}, and must be the file that it is in: give that one, or leave it out`,
    );
  return place;
}

function fileFaults<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new JobDefinitionError(`protobuf: proto is no .proto file: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
