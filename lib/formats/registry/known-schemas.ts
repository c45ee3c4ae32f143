import type { Schema, SchemaId } from './schema.ts';

/** So long it is remembered that there is no schema of an id: who reads many records of it does not ask for each. */
const UNKNOWN_FOR_MS = 30_000;
/** Bytes that are no record of the format may look like any number of ids. */
const MOST_UNKNOWN = 10_000;

/** What a registry has told so far. Schemas stay what they are; that there is none of an id is forgotten after a while. */
export class KnownSchemas {
  readonly #schemas = new Map<SchemaId, Schema>();
  /** Until when, by `performance.now()`. */
  readonly #unknownUntilMs = new Map<SchemaId, number>();

  /** Undefined: nobody has asked, or it was long ago. */
  get(id: SchemaId): Schema | 'unknown' | undefined {
    const schema = this.#schemas.get(id);
    if (schema !== undefined) return schema;
    return performance.now() < (this.#unknownUntilMs.get(id) ?? 0) ? 'unknown' : undefined;
  }

  /** @param schema undefined: there is none */
  set(id: SchemaId, schema: Schema | undefined): void {
    if (schema !== undefined) {
      this.#schemas.set(id, schema);
      return;
    }
    if (this.#unknownUntilMs.size >= MOST_UNKNOWN) this.#unknownUntilMs.clear();
    this.#unknownUntilMs.set(id, performance.now() + UNKNOWN_FOR_MS);
  }
}
