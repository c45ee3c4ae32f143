/** The languages of schemas, as Confluent's registry names them. */
export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON';

/** Of Confluent's registry a number, of AWS Glue's the UUID of a schema's version. */
export type SchemaId = number | string;

/** A schema with all that it refers to. */
export interface Schema {
  /** In which language it is. */
  readonly type: SchemaType;
  /** Of Avro and JSON Schema the JSON, of Protobuf the `.proto` file, or the Base64 of its FileDescriptorProto. */
  readonly text: string;
  /** What it refers to, by the names that it uses for it. */
  readonly references: readonly { readonly name: string; readonly schema: Schema }[];
}

/** A schema that is to be found in a registry, and to be registered. */
export interface OwnSchema extends Schema {
  /** What it refers to. */
  readonly references: readonly OwnReference[];
}

/** A schema that another one refers to. */
export interface OwnReference {
  /** As the schema calls it: of Avro the full name of the type, of Protobuf the path of the import, of JSON Schema the `$ref`. */
  readonly name: string;
  /** Under which it is registered. */
  readonly subject: string;
  /** The schema itself, with what it refers to in turn. */
  readonly schema: OwnSchema;
}
