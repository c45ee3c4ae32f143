import type { TopicPlace } from '../../format/serde.ts';
import { confluentHeader } from './confluent-header.ts';
import type { SchemaRegistry } from './registry.ts';
import type { OwnSchema, Schema, SchemaId } from './schema.ts';

/** A registry in this process, for tests of a job: it takes every schema, and answers at once. */
export class MockRegistry implements SchemaRegistry {
  readonly header = confluentHeader;
  readonly place: string;
  readonly #schemas: Schema[] = [];
  readonly #ids = new Map<string, number>();

  constructor(name: string) {
    this.place = `schema registry ${name}`;
  }

  subjectOf({ topic, part }: Pick<TopicPlace, 'topic' | 'part'>): string {
    return `${topic}-${part}`;
  }

  known(id: SchemaId): Schema | 'unknown' {
    return this.#schemas[(id as number) - 1] ?? 'unknown';
  }

  fetch(): Promise<void> {
    return Promise.resolve();
  }

  idOf(_subject: string, schema: OwnSchema): Promise<SchemaId> {
    return Promise.resolve(this.idNow(_subject, schema));
  }

  /** As everywhere, the same schema has the same id in all subjects. */
  idNow(_subject: string, schema: OwnSchema): SchemaId {
    const key = JSON.stringify([schema.type, schema.text, schema.references]);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#schemas.push(schema);
    this.#ids.set(key, id);
    return id;
  }
}
