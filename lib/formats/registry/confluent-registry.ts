import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicPlace } from '../../format/serde.ts';
import { RegistryProblem } from '../../ports/registry-problem.ts';
import type { RegistryClient, StoredSchema } from './client.ts';
import { confluentHeader } from './confluent-header.ts';
import { KnownSchemas } from './known-schemas.ts';
import type { SchemaRegistry } from './registry.ts';
import type { OwnSchema, Schema, SchemaId } from './schema.ts';

/** A server of a registry may learn of a schema a moment after another one has registered it, and a producer has used it. */
const ASKED_AGAIN_AFTER_MS = 500;

/** What a registry that speaks as Confluent's has told so far. */
export class ConfluentRegistry implements SchemaRegistry {
  readonly header = confluentHeader;
  readonly #client: RegistryClient;
  readonly #schemas = new KnownSchemas();
  readonly #underWay = new Map<SchemaId, Promise<void>>();

  constructor(client: RegistryClient) {
    this.#client = client;
  }

  get place(): string {
    return this.#client.place;
  }

  subjectOf({ topic, part }: Pick<TopicPlace, 'topic' | 'part'>): string {
    return `${topic}-${part}`;
  }

  known(id: SchemaId): Schema | 'unknown' | undefined {
    return this.#schemas.get(id);
  }

  fetch(id: SchemaId): Promise<void> {
    if (this.known(id) !== undefined) return Promise.resolve();
    const underWay = this.#underWay.get(id) ?? this.#fetch(id as number).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, underWay);
    return underWay;
  }

  async idOf(subject: string, schema: OwnSchema, mayRegister: boolean): Promise<number> {
    return (await this.#registration(subject, schema, mayRegister)).id;
  }

  async #fetch(id: number): Promise<void> {
    let found = await this.#client.schemaById(id);
    if (found === undefined) {
      await sleep(ASKED_AGAIN_AFTER_MS);
      found = await this.#client.schemaById(id);
    }
    this.#schemas.set(id, found === undefined ? undefined : await this.#whole(found, new Map()));
  }

  /** With what it refers to. @param met by subject and version: several may refer to the same */
  async #whole({ type, text, references }: StoredSchema, met: Map<string, Schema>): Promise<Schema> {
    const whole: { name: string; schema: Schema }[] = [];
    for (const { name, subject, version } of references) {
      const key = JSON.stringify([subject, version]);
      const schema = met.get(key) ?? (await this.#whole(await this.#client.schemaOfVersion(subject, version), met));
      met.set(key, schema);
      whole.push({ name, schema });
    }
    return { type, text, references: whole };
  }

  async #registration(subject: string, own: OwnSchema, mayRegister: boolean): Promise<{ readonly id: number; readonly version: number }> {
    const { type, text } = own;
    const references: StoredSchema['references'][number][] = [];
    for (const { name, subject: of, schema } of own.references)
      references.push({ name, subject: of, version: (await this.#registration(of, schema, mayRegister)).version });
    const stored = { type, text, references };
    const found = await this.#client.lookUp(subject, stored);
    if (found !== undefined) return found;
    if (!mayRegister) throw await this.#notRegistered(subject, stored);
    const refusal = await this.#client.register(subject, stored);
    if (refusal !== undefined) throw await this.#incompatible(subject, stored, refusal);
    const registered = await this.#client.lookUp(subject, stored);
    if (registered !== undefined) return registered;
    throw new RegistryProblem(`${this.place}: the schema was registered in subject ${subject}, and the subject has it not yet`, true);
  }

  async #notRegistered(subject: string, schema: StoredSchema): Promise<RegistryProblem> {
    const reasons = await this.#client.incompatibilities(subject, schema);
    const next = reasons.length === 0 ? 'It would be compatible' : `It is not compatible with the newest: ${reasons.join('; ')}`;
    return new RegistryProblem(
      `${this.place}: subject ${subject} has not the schema that the job writes, and \`register\` is false. ${next}. Register it, or let the job do it`,
      false,
    );
  }

  async #incompatible(subject: string, schema: StoredSchema, refusal: string): Promise<RegistryProblem> {
    const reasons = await this.#client.incompatibilities(subject, schema);
    return new RegistryProblem(
      `${this.place}: the schema that the job writes is not compatible with what subject ${subject} has: ${[refusal, ...reasons].join('; ')}. Mend the schema, write to another subject, or change the subject's rule (PUT /config/${subject})`,
      false,
    );
  }
}
