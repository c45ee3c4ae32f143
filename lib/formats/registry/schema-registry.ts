import { JobDefinitionError } from '../../graph/job.ts';
import { RegistryClient, type RegistryLogin } from './client.ts';
import { ConfluentRegistry } from './confluent-registry.ts';
import { httpClient, type RegistryTls } from './http.ts';
import { MockRegistry } from './mock-registry.ts';
import type { SchemaRegistry } from './registry.ts';

/** Where a schema registry is, and how it is asked. */
export interface SchemaRegistryOptions {
  /**
   * `http://` or `https://`, with the path before `/subjects` if there is one; several of one registry in the order in which they are asked.
   * `mock://NAME`: in this process, for tests; all of one name are one.
   */
  readonly url: string | readonly string[];
  /**
   * User and password, or a token for `Authorization: Bearer`. It is asked when the registry is first needed, and again when it refuses
   * what was given before: so read a secret here, and not where the job is defined.
   * @default none
   */
  readonly login?: () => RegistryLogin | Promise<RegistryLogin>;
  /**
   * For `https://`.
   * @default Node's own authorities, no certificate of the client
   */
  readonly tls?: RegistryTls;
  /**
   * How long one server may take for an answer, in milliseconds: a whole number from 1 to 60,000.
   * @default 5000
   */
  readonly timeoutMs?: number;
}

const MOCK = 'mock://';
const mocks = new Map<string, MockRegistry>();
const LONGEST_MS = 60_000;

/**
 * A schema registry that speaks as Confluent's (Karapace, Redpanda and Apicurio's `/apis/ccompat/v7` do too). Nothing is asked when it is made.
 *
 * @example
 * const registry = schemaRegistry({ url: 'https://registry:8081', login: async () => JSON.parse(await secret('registry')) });
 * @throws JobDefinitionError naming the option, its rule and what to do
 */
export function schemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const { url, login, tls, timeoutMs = 5_000 } = options;
  const urls = (typeof url === 'string' ? [url] : [...url]).map((each) => String(each).replace(/\/+$/, ''));
  const [first] = urls;
  if (urls.length === 1 && first?.startsWith(MOCK)) {
    const mock = mocks.get(first) ?? new MockRegistry(first);
    mocks.set(first, mock);
    return mock;
  }
  if (first === undefined) throw wrong('url', '[]', 'one url at least', 'name the registry');
  for (const each of urls) checkUrl(each, tls);
  if (login !== undefined && typeof login !== 'function')
    throw wrong('login', 'no function', 'a function that gives { user, password } or { token }', 'write `login: () => ({ … })`');
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_MS)
    throw wrong('timeoutMs', String(timeoutMs), `a whole number from 1 to ${LONGEST_MS}`, 'leave it out for 5000');
  return new ConfluentRegistry(new RegistryClient({ urls, login, send: httpClient(tls, timeoutMs) }));
}

function checkUrl(text: string, tls: RegistryTls | undefined): void {
  const url = URL.parse(text);
  const protocol = url?.protocol;
  if (url === null || (protocol !== 'http:' && protocol !== 'https:'))
    throw wrong('url', JSON.stringify(text), 'http://… or https://…, or one mock://…', 'correct it');
  // It is shown in messages and logs.
  if (url.username !== '' || url.password !== '')
    throw wrong('url', 'one with a user in it', 'without user and password', 'give them by `login`');
  if (url.search !== '' || url.hash !== '') throw wrong('url', JSON.stringify(text), 'without ? and #', 'take them away');
  if (tls !== undefined && protocol !== 'https:')
    throw wrong('tls', 'given', 'of https:// alone', `take it away, or make ${text} an https:// url`);
}

function wrong(option: string, value: string, rule: string, mend: string): JobDefinitionError {
  return new JobDefinitionError(`schemaRegistry: ${option} is ${value}, and must be ${rule}: ${mend}`);
}
