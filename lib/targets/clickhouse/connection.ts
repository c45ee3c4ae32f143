import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { type Asking, deduplicationProblem } from './deduplication.ts';
import { insertRows } from './insert.ts';
import type { ClickHousePlace, Settings } from './place.ts';
import { refused } from './refusals.ts';

/** The server and table, as one process has them. */
export interface ClickHouseConnection {
  /** Resolves when the table has the lines, by this call or by an earlier one under the same token. @throws DeliveryRefusedError */
  insert(lines: readonly string[], token: string, signal: AbortSignal): Promise<void>;
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
