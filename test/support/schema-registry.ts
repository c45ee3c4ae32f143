import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import avsc from 'avsc';

/*
 * A schema registry over HTTP, which answers as Confluent documents its API: subjects and versions, one id for a schema wherever it is
 * registered, references, rules of compatibility (checked for Avro), and its error codes.
 */

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface Posted {
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly Reference[];
}

/** What becomes of a request before the registry sees it. */
export type Trouble =
  | { readonly is: 'none' }
  /** The connection is cut. */
  | { readonly is: 'down' }
  | { readonly is: 'slow'; readonly ms: number }
  | { readonly is: 'answer'; readonly status: number; readonly body: string };

export interface TestRegistryOptions {
  /** Of `Authorization: Basic`. @default anybody may do everything */
  readonly login?: () => { readonly user: string; readonly password: string };
  readonly tls?: { readonly key: string; readonly cert: string };
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const ok = (json: unknown): Answer => ({ status: 200, json });
const error = (code: number, message: string): Answer => ({
  status: code > 999 ? Math.floor(code / 100) : code,
  json: { error_code: code, message },
});

export class TestRegistry {
  /** Every request that came, as `GET /schemas/ids/1`. */
  readonly requests: string[] = [];
  trouble: (request: string) => Trouble = () => ({ is: 'none' });
  readonly #schemas: Posted[] = [];
  /** By subject the ids of its versions, from version 1 on. */
  readonly #subjects = new Map<string, number[]>();
  readonly #rules = new Map<string, string>();
  readonly #options: TestRegistryOptions;
  #close: () => Promise<void> = async () => {};
  #url = '';

  private constructor(options: TestRegistryOptions) {
    this.#options = options;
  }

  static async start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(options);
    const handle = (request: IncomingMessage, response: ServerResponse) => void registry.#handle(request, response);
    const server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    registry.#url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    registry.#close = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return registry;
  }

  get url(): string {
    return this.#url;
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Registers without a request. Answers the id. */
  add(subject: string, posted: Posted): number {
    const { status, json } = this.#register(subject, posted);
    if (status !== 200) throw new Error(JSON.stringify(json));
    return (json as { readonly id: number }).id;
  }

  /** How the versions of a subject have to go together. @default BACKWARD */
  setRule(subject: string, rule: 'NONE' | 'BACKWARD' | 'FORWARD' | 'FULL'): void {
    this.#rules.set(subject, rule);
  }

  versions(subject: string): readonly Posted[] {
    return (this.#subjects.get(subject) ?? []).map((id) => this.#schemas[id - 1] as Posted);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = `${request.method} ${request.url}`;
    this.requests.push(what);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const trouble = this.trouble(what);
    if (trouble.is === 'down') return void request.socket.destroy();
    if (trouble.is === 'slow') await sleep(trouble.ms);
    if (trouble.is === 'answer') return void response.writeHead(trouble.status).end(trouble.body);
    const { status, json } = this.#answer(request, Buffer.concat(parts).toString());
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(json));
  }

  #answer({ method, url = '', headers }: IncomingMessage, body: string): Answer {
    const login = this.#options.login?.();
    if (login !== undefined && headers.authorization !== `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`)
      return error(401, 'Unauthorized');
    const [path = ''] = url.split('?');
    const [first, ...rest] = path.slice(1).split('/').map(decodeURIComponent);
    const posted = (): Posted => JSON.parse(body);
    const route = `${method} ${first}/${rest.length}`;
    switch (route) {
      case 'GET schemas/2': {
        const schema = this.#schemas[Number(rest[1]) - 1];
        return schema === undefined ? error(40403, 'Schema not found') : ok(stated(schema));
      }
      case 'GET subjects/3':
        return this.#version(rest[0] ?? '', rest[2] ?? '');
      case 'POST subjects/1':
        return this.#lookUp(rest[0] ?? '', posted());
      case 'POST subjects/2':
        return this.#register(rest[0] ?? '', posted());
      case 'POST compatibility/4': {
        const newest = this.versions(rest[1] ?? '').at(-1);
        if (newest === undefined) return error(40401, `Subject '${rest[1]}' not found.`);
        const messages = this.#incompatibilities(rest[1] ?? '', newest, posted());
        return ok({ is_compatible: messages.length === 0, messages });
      }
      case 'GET config/1': {
        const rule = this.#rules.get(rest[0] ?? '');
        return rule === undefined
          ? error(40408, `Subject '${rest[0]}' does not have subject-level compatibility configured`)
          : ok({ compatibilityLevel: rule });
      }
      case 'PUT config/1':
        this.#rules.set(rest[0] ?? '', (JSON.parse(body) as { readonly compatibility: string }).compatibility);
        return ok(JSON.parse(body));
      default:
        return error(404, `HTTP 404 Not Found: ${route}`);
    }
  }

  #version(subject: string, asked: string): Answer {
    const ids = this.#subjects.get(subject);
    if (ids === undefined) return error(40401, `Subject '${subject}' not found.`);
    const version = asked === 'latest' ? ids.length : Number(asked);
    const id = ids[version - 1];
    if (id === undefined) return error(40402, `Version ${asked} not found.`);
    return ok({ subject, version, id, ...stated(this.#schemas[id - 1] as Posted) });
  }

  #lookUp(subject: string, posted: Posted): Answer {
    const ids = this.#subjects.get(subject);
    if (ids === undefined) return error(40401, `Subject '${subject}' not found.`);
    const at = ids.findIndex((id) => isSame(this.#schemas[id - 1] as Posted, posted));
    return at < 0 ? error(40403, 'Schema not found') : ok({ subject, version: at + 1, id: ids[at], ...stated(posted) });
  }

  #register(subject: string, posted: Posted): Answer {
    for (const { subject: of, version } of posted.references ?? [])
      if (this.#subjects.get(of)?.[version - 1] === undefined)
        return error(42201, `Invalid schema: No schema reference found for subject "${of}" and version ${version}`);
    try {
      if (isAvro(posted)) this.#typeOf(posted);
    } catch (cause) {
      return error(42201, `Invalid schema ${posted.schema}: ${(cause as Error).message}`);
    }
    const ids = this.#subjects.get(subject) ?? [];
    const known = this.#lookUp(subject, posted);
    if (known.status === 200) return ok({ id: (known.json as { readonly id: number }).id });
    const newest = this.versions(subject).at(-1);
    const reasons = newest === undefined ? [] : this.#incompatibilities(subject, newest, posted);
    if (reasons.length > 0) return error(409, `Schema being registered is incompatible with an earlier schema for subject "${subject}"`);
    const elsewhere = this.#schemas.findIndex((schema) => isSame(schema, posted));
    const id = elsewhere < 0 ? this.#schemas.push(posted) : elsewhere + 1;
    this.#subjects.set(subject, [...ids, id]);
    return ok({ id });
  }

  #incompatibilities(subject: string, before: Posted, after: Posted): string[] {
    const rule = this.#rules.get(subject) ?? 'BACKWARD';
    if (rule === 'NONE' || !isAvro(after)) return [];
    const asked: [string, Posted, Posted][] = [];
    if (rule !== 'FORWARD') asked.push(['READER_FIELD_MISSING_DEFAULT_VALUE or TYPE_MISMATCH', after, before]);
    if (rule !== 'BACKWARD') asked.push(['the other way round', before, after]);
    return asked.flatMap(([why, reader, writer]) => {
      try {
        this.#typeOf(reader).createResolver(this.#typeOf(writer));
        return [];
      } catch (cause) {
        return [`${why}: ${(cause as Error).message}`];
      }
    });
  }

  #typeOf(posted: Posted, registry: Record<string, avsc.Type> = {}): avsc.Type {
    for (const { subject, version } of posted.references ?? []) {
      const id = this.#subjects.get(subject)?.[version - 1] ?? 0;
      this.#typeOf(this.#schemas[id - 1] as Posted, registry);
    }
    return avsc.Type.forSchema(JSON.parse(posted.schema), { registry });
  }
}

function isAvro({ schemaType = 'AVRO' }: Posted): boolean {
  return schemaType === 'AVRO';
}

function isSame(one: Posted, other: Posted): boolean {
  return keyOf(one) === keyOf(other);
}

/** Without regard to white space in JSON. */
function keyOf(posted: Posted): string {
  const { schema, schemaType = 'AVRO', references = [] } = posted;
  return JSON.stringify([schemaType === 'PROTOBUF' ? schema : JSON.parse(schema), schemaType, references]);
}

/** Of Avro no type is said. */
function stated({ schema, schemaType = 'AVRO', references = [] }: Posted): Posted {
  return { schema, ...(schemaType !== 'AVRO' && { schemaType }), ...(references.length > 0 && { references }) };
}
