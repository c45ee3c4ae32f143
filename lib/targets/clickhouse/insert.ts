import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ClickHousePlace, Settings } from './place.ts';
import { refused } from './refusals.ts';

/** On these it depends that a token's second insert is the first one's again, and that nothing is dropped in silence. */
export const OWN_SETTINGS = {
  // The answer comes when the rows are in the table.
  async_insert: 0,
  wait_end_of_query: 1,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // One batch is one block, whose bounds no thread decides.
  input_format_parallel_parsing: 0,
  max_insert_block_size: '1000000',
  // A column or field that the table has not is refused, as is a null, and a date, that a column does not hold.
  input_format_skip_unknown_fields: 0,
  input_format_json_ignore_unknown_keys_in_named_tuple: 0,
  input_format_null_as_default: 0,
  date_time_overflow_behavior: 'throw',
  // As JavaScript writes a Date.
  date_time_input_format: 'best_effort',
} as const;

/** What an insert goes to. */
export interface InsertInto {
  readonly client: ClickHouseClient;
  readonly place: ClickHousePlace;
  readonly settings: Settings;
}

/** @throws DeliveryRefusedError for what the table will never take; anything else is worth another try */
export async function insertRows(
  { client, place, settings }: InsertInto,
  lines: readonly string[],
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const { stream } = await client.exec({
      query: `INSERT INTO \`${place.database}\`.\`${place.table}\` FORMAT JSONEachRow`,
      values: Readable.from([lines.join('\n')], { objectMode: false }),
      abort_signal: signal,
      clickhouse_settings: { ...settings, ...OWN_SETTINGS, insert_deduplication_token: token },
    });
    // An answer that is not read to its end keeps the connection.
    await finished(stream.resume(), { signal });
  } catch (error) {
    throw refused(error, place) ?? error;
  }
}
