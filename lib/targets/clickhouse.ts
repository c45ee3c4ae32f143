/** ClickHouse, by the package @clickhouse/client. */

import type { WriteAheadSink } from '../api/write-ahead.ts';
import { writeAheadSink } from '../api/write-ahead.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { connectionTo } from './clickhouse/connection.ts';
import { OWN_SETTINGS } from './clickhouse/insert.ts';
import { type ClickHousePlace, placeProblem, type Settings } from './clickhouse/place.ts';
import { type ClickHouseRow, rowSerde } from './clickhouse/row-serde.ts';

export type { ClickHouseRow } from './clickhouse/row-serde.ts';

/** Which table a `clickHouseSink` inserts into, and how. */
export interface ClickHouseSinkOptions<T> {
  /** Where the server's HTTP interface is: `http://clickhouse:8123`, `https://…:8443`. */
  readonly url: string;
  /** A table of the MergeTree family that remembers tokens (see `clickHouseSink`). */
  readonly table: string;
  /** Where the table is. @default `default` */
  readonly database?: string;
  /** Who inserts. @default `default` */
  readonly username?: string;
  /** Of that user. @default none */
  readonly password?: string;
  /**
   * The columns of a value. A property that is not there, or undefined, gets the default of its column.
   * @default the value itself
   */
  readonly toRow?: (value: T) => ClickHouseRow;
  /** Rows in one insert at most, 1 to 1,000,000. @default 100000 */
  readonly maxBatchRows?: number;
  /** Bytes of their JSON in one insert at most, 1 to 67,108,864. @default 16777216 (16 MiB) */
  readonly maxBatchBytes?: number;
  /** Settings of ClickHouse for each insert; not those on which it depends that a repeat adds nothing. @default none */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/**
 * Rows of a table of ClickHouse, each once. After an epoch's decision its rows are inserted in batches that were cut before it, each
 * under a token of job, incarnation, sink, subtask, epoch and batch (`insert_deduplication_token`): when an answer was lost, the same
 * batch comes again under the same token, and ClickHouse adds nothing.
 *
 * It can tell as long as the table remembers the token. A replicated table does (`replicated_deduplication_window`); another one must be
 * told to: `SETTINGS non_replicated_deduplication_window = 1000`. A table that remembers none is refused, before anything is inserted. Of these only a replicated
 * table writes down token and rows in one: another one may, when its server is killed in the middle of an insert, know the token and not have the rows.
 *
 * @example
 * orders.sink('to-warehouse', clickHouseSink<Order>({ url: 'http://clickhouse:8123', table: 'orders' }));
 * @throws JobDefinitionError naming the option, its rule and what to do
 */
export function clickHouseSink<T extends object>(options: ClickHouseSinkOptions<T>): WriteAheadSink<T>;
export function clickHouseSink<T>(options: ClickHouseSinkOptions<T> & Required<Pick<ClickHouseSinkOptions<T>, 'toRow'>>): WriteAheadSink<T>;
export function clickHouseSink<T>(options: ClickHouseSinkOptions<T>): WriteAheadSink<T> {
  const { url, table, database = 'default', username = 'default', password = '', toRow, settings = {} } = options;
  const { maxBatchRows = 100_000, maxBatchBytes = 16 * 1024 * 1024 } = options;
  const place: ClickHousePlace = { url, database, table, username, password };
  const problem = placeProblem(place) ?? settingsProblem(settings);
  if (problem !== undefined) throw new JobDefinitionError(`clickHouseSink: ${problem}`);
  if (toRow !== undefined && typeof toRow !== 'function')
    throw new JobDefinitionError(`clickHouseSink: toRow is ${typeof toRow}, and must be a function from a value to its row`);
  const connection = connectionTo(place, settings);
  // Between the decision and the insert a row is the line of JSON that ClickHouse will read: what it does not hold fails as its record does.
  const staged = writeAheadSink<unknown>({
    value: rowSerde(toRow as ((value: unknown) => ClickHouseRow) | undefined),
    maxBatchRows,
    maxBatchBytes,
    deliver: (lines, { id, signal }) => connection.insert(lines as readonly string[], id, signal),
  });
  return staged as WriteAheadSink<T>;
}

function settingsProblem(settings: Settings): string | undefined {
  const own = Object.keys(settings).find((name) => Object.hasOwn(OWN_SETTINGS, name) || name === 'insert_deduplication_token');
  if (own === undefined) return undefined;
  return `settings has ${own}, which the sink sets itself so that a repeat adds nothing: leave it out`;
}
