import * as z from 'zod';
import { reasonOf } from '../../ports/reason.ts';
import { RegistryProblem } from '../../ports/registry-problem.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import type { SchemaType } from './schema.ts';

/** A schema as the registry has it: what it refers to is in other subjects. */
export interface StoredSchema {
  readonly type: SchemaType;
  readonly text: string;
  readonly references: readonly StoredReference[];
}

export interface StoredReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** Who we are to the registry. */
export type RegistryLogin =
  | {
      /** For `Authorization: Basic`. */
      readonly user: string;
      /** Of that user. */
      readonly password: string;
    }
  | {
      /** For `Authorization: Bearer`. */
      readonly token: string;
    };

export interface ClientOptions {
  /** The same registry: the next is asked when one does not answer. Without a slash at the end. */
  readonly urls: readonly string[];
  /** Asked once, and again when what it gave is refused. */
  readonly login: (() => RegistryLogin | Promise<RegistryLogin>) | undefined;
  readonly send: (url: URL, request: HttpRequest) => Promise<HttpAnswer>;
}

/** What the registry said, in the terms of its API. */
interface Said {
  readonly status: number;
  readonly json: unknown;
  /** Its own error code; of what is no registry undefined. */
  readonly code: number | undefined;
  readonly message: string;
}

const NO_SUBJECT = 40401;
const NO_VERSION = 40402;
const NO_SCHEMA = 40403;
const INCOMPATIBLE = 409;

const schemaShape = z.object({
  schema: z.string(),
  schemaType: z.enum(['AVRO', 'PROTOBUF', 'JSON']).default('AVRO'),
  references: z
    .array(z.object({ name: z.string(), subject: z.string(), version: z.number() }))
    .nullish()
    .transform((given) => given ?? []),
});
const registrationShape = z.object({ id: z.number(), version: z.number() });
const compatibilityShape = z.object({
  is_compatible: z.boolean(),
  messages: z
    .array(z.string())
    .nullish()
    .transform((given) => given ?? []),
});
const errorShape = z.object({ error_code: z.number(), message: z.string().default('') });

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/** Asks a registry that speaks as Confluent's: Karapace, Apicurio (`/apis/ccompat/v7`) and Redpanda do too. All throw `RegistryProblem`. */
export class RegistryClient {
  readonly place: string;
  readonly #options: ClientOptions;
  #login: RegistryLogin | undefined;

  constructor(options: ClientOptions) {
    this.place = `schema registry ${options.urls.join(', ')}`;
    this.#options = options;
  }

  /** Undefined: the registry has none of this id. */
  async schemaById(id: number): Promise<StoredSchema | undefined> {
    const path = `/schemas/ids/${id}`;
    const said = await this.#ask('GET', path);
    if (said.code === NO_SCHEMA) return undefined;
    return storedSchema(this.#parsed(schemaShape, said, `GET ${path}`));
  }

  async schemaOfVersion(subject: string, version: number): Promise<StoredSchema> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    return storedSchema(this.#parsed(schemaShape, await this.#ask('GET', path), `GET ${path}`));
  }

  /** Undefined: the subject has not this schema. */
  async lookUp(subject: string, schema: StoredSchema): Promise<{ readonly id: number; readonly version: number } | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}`;
    const said = await this.#ask('POST', path, bodyOf(schema));
    if (said.code === NO_SUBJECT || said.code === NO_SCHEMA) return undefined;
    return this.#parsed(registrationShape, said, `POST ${path}`);
  }

  /** Answers why not; undefined: it is registered. */
  async register(subject: string, schema: StoredSchema): Promise<string | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const said = await this.#ask('POST', path, bodyOf(schema));
    if (said.status === INCOMPATIBLE) return said.message;
    this.#parsed(z.object({ id: z.number() }), said, `POST ${path}`);
    return undefined;
  }

  /** What makes the schema incompatible with the newest of the subject, by the rule that the subject is set to; none: it is compatible. */
  async incompatibilities(subject: string, schema: StoredSchema): Promise<readonly string[]> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
    const said = await this.#ask('POST', path, bodyOf(schema));
    if (said.code === NO_SUBJECT || said.code === NO_VERSION) return [];
    const { is_compatible: isCompatible, messages } = this.#parsed(compatibilityShape, said, `POST ${path}`);
    if (isCompatible) return [];
    return messages.length > 0 ? messages : ['it does not say why'];
  }

  /** The first answer that is one: a server that fails, or does not answer, is passed over while there is another. */
  async #ask(method: HttpRequest['method'], path: string, body?: string): Promise<Said> {
    const { urls, login } = this.#options;
    const what = `${method} ${path}`;
    let problem: RegistryProblem | undefined;
    for (const url of urls) {
      try {
        if (login !== undefined) this.#login ??= await this.#askLogin(login);
        let said = await this.#send(url, method, path, body);
        if (said.status === 401 && login !== undefined) {
          this.#login = await this.#askLogin(login);
          said = await this.#send(url, method, path, body);
        }
        if (!isPassing(said.status)) return said;
        problem = new RegistryProblem(`${this.place}: ${what}: ${url} answered ${describe(said)}. ${WAITS}`, true);
      } catch (cause) {
        if (cause instanceof RegistryProblem) throw cause;
        problem = new RegistryProblem(`${this.place}: ${what}: no answer from ${url}: ${reasonOf(cause)}. ${WAITS}`, true, { cause });
      }
    }
    throw problem as RegistryProblem;
  }

  async #askLogin(login: NonNullable<ClientOptions['login']>): Promise<RegistryLogin> {
    try {
      return await login();
    } catch (cause) {
      throw new RegistryProblem(`${this.place}: its \`login\` throws: ${reasonOf(cause)}. ${WAITS}`, true, { cause });
    }
  }

  async #send(base: string, method: HttpRequest['method'], path: string, body: string | undefined): Promise<Said> {
    const headers = {
      accept: `${CONTENT_TYPE}, application/json`,
      ...(body !== undefined && { 'content-type': CONTENT_TYPE }),
      ...(this.#login !== undefined && { authorization: authorizationOf(this.#login) }),
    };
    const { status, body: text } = await this.#options.send(new URL(`${base}${path}`), { method, headers, body });
    const json = parsedJson(text);
    const { success, data } = errorShape.safeParse(json);
    return { status, json, code: success ? data.error_code : undefined, message: success ? data.message : text.slice(0, MOST_SHOWN) };
  }

  #parsed<T>(shape: z.ZodType<T>, said: Said, what: string): T {
    const { status } = said;
    if (status === 401 || status === 403)
      throw new RegistryProblem(
        `${this.place}: ${what}: the login is refused (${describe(said)}). Give schemaRegistry a \`login\` that may do this`,
        false,
      );
    const { success, data } = status === 200 ? shape.safeParse(said.json) : { success: false, data: undefined };
    if (success) return data as T;
    const isRegistry = said.code !== undefined;
    throw new RegistryProblem(
      `${this.place}: ${what}: the answer is ${describe(said)}${isRegistry ? '' : '. Is there a schema registry at this url, and is the path before /subjects part of it?'}`,
      false,
    );
  }
}

const WAITS = 'Nothing is left out: the epoch is tried again until there is an answer';
const MOST_SHOWN = 200;

/** Too much to do, or a failure of the server's own. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function describe({ status, code, message }: Said): string {
  return `${status}${code === undefined || code === status ? '' : `, error ${code}`}: ${message || 'nothing more'}`;
}

function authorizationOf(login: RegistryLogin): string {
  if ('token' in login) return `Bearer ${login.token}`;
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
}

/** Older registries know Avro alone, and no other key. */
function bodyOf({ type, text, references }: StoredSchema): string {
  return JSON.stringify({
    schema: text,
    ...(type !== 'AVRO' && { schemaType: type }),
    ...(references.length > 0 && { references }),
  });
}

function storedSchema({ schema, schemaType, references }: z.infer<typeof schemaShape>): StoredSchema {
  return { type: schemaType, text: schema, references };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
