import type { ByteWriter } from '../../format/byte-writer.ts';
import type { TopicPlace } from '../../format/serde.ts';
import type { OwnSchema, Schema, SchemaId } from './schema.ts';

/** Where schemas are known by ids. Made by `schemaRegistry` or `glueRegistry`; serdes that share one share what it has learnt. */
export interface SchemaRegistry {
  /** What it is to people, and where. */
  readonly place: string;
  /** How an id stands before what is written with its schema. */
  readonly header: SchemaHeader;
  /** The name of the schema of a topic's keys or values. */
  subjectOf(place: Pick<TopicPlace, 'topic' | 'part'>): string;
  /** What has been fetched. `unknown`: there is none of that id. Undefined: nobody has asked. */
  known(id: SchemaId): Schema | 'unknown' | undefined;
  /** Asks for a schema: afterwards it is known, or that it is unknown. Throws `RegistryProblem`. */
  fetch(id: SchemaId): Promise<void>;
  /**
   * The id of a schema in a subject. Throws `RegistryProblem`, not retriable when the subject has another one and it may not or cannot be
   * registered. @param mayRegister registers what is not there, and what that refers to
   */
  idOf(subject: string, schema: OwnSchema, mayRegister: boolean): Promise<SchemaId>;
  /** The same where nobody has to be asked; undefined: somebody has. */
  idNow?(subject: string, schema: OwnSchema): SchemaId | undefined;
}

/** How the id of a schema stands before what was written with it. */
export interface SchemaHeader {
  /** How long it is. */
  readonly bytes: number;
  /** Writes an id. */
  write(id: SchemaId, out: ByteWriter): void;
  /** Throws `MalformedError` when there is none. */
  read(bytes: Buffer, start: number, end: number): SchemaId;
}
