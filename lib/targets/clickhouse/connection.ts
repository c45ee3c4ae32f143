import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { type Asking, deduplicationProblem } from './deduplication.ts';
import { insertRows, type Settings } from './insert.ts';
import { refused } from './refusals.ts';

export interface ClickHousePlace {
  readonly url: string;
  readonly database: string;
  readonly table: string;
  readonly username: string;
  readonly password: string;
}

/** The server and table, as one process has them. */
export interface ClickHouseConnection {
  /** Resolves when the table has the lines, by this call or by an earlier one under the same token. @throws DeliveryRefusedError */
  insert(lines: readonly string[], token: string, signal: AbortSignal): Promise<void>;
}

/** The rule that a place breaks. */
export function placeProblem({ url, database, table, username, password }: ClickHousePlace): string | undefined {
  if (!isHttp(url)) return `url is ${JSON.stringify(url)}, and must be where the HTTP interface is: http://host:8123 or https://host:8443`;
  for (const [option, name] of [
    ['table', table],
    ['database', database],
  ] as const)
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(String(name)))
      return `${option} is ${JSON.stringify(name)}, and must be a name of letters, digits and _ that begins with no digit; the database is an option of its own`;
  if (typeof username !== 'string' || username === '') return 'username is empty, and must be a name: leave it out for "default"';
  if (typeof password !== 'string') return `password is ${typeof password}, and must be a text: leave it out for none`;
  return undefined;
}

function isHttp(url: unknown): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { protocol, username, pathname } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && pathname === '/';
}

/** Connects at the first insert, and looks then whether the table can tell a repeat. */
export function connectionTo(place: ClickHousePlace, settings: Settings): ClickHouseConnection {
  let opened: ClickHouseClient | undefined;
  let checked: Promise<void> | undefined;
  return {
    async insert(lines, token, signal) {
      opened ??= open(place);
      const client = opened;
      checked ??= check(client, place).catch((error: unknown) => {
        checked = undefined;
        throw error;
      });
      await checked;
      await insertRows({ client, place, settings }, lines, { token, signal });
    },
  };
}

function open({ url, database, username, password }: ClickHousePlace): ClickHouseClient {
  // Errors are thrown and said by the coordinator: the client's own log would say them a second time, and without the place.
  return createClient({ url, database, username, password, application: 'onceflow', log: { level: 127 } });
}

async function check(client: ClickHouseClient, place: ClickHousePlace): Promise<void> {
  const ask: Asking = async (query, query_params) => {
    try {
      return await (await client.query({ query, query_params, format: 'JSONEachRow' })).json();
    } catch (error) {
      throw refused(error, place) ?? error;
    }
  };
  const problem = await deduplicationProblem(ask, place);
  if (problem !== undefined) throw problem;
}
