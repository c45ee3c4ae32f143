import { DeliveryRefusedError } from '../../api/index.ts';
import type { ClickHousePlace } from './place.ts';

/** Rows of an answer, their columns as text. */
export type Asking = (query: string, parameters?: Record<string, unknown>) => Promise<readonly unknown[]>;

interface TableRow {
  readonly engine: string;
  readonly engine_full: string;
}

const TABLE = 'SELECT engine, engine_full FROM system.tables WHERE database = {database:String} AND name = {table:String}';
const DEFAULT = 'SELECT value FROM system.merge_tree_settings WHERE name = {name:String}';

/** Why a repeat would add rows to the table; undefined: it adds none. */
export async function deduplicationProblem(ask: Asking, { database, table }: ClickHousePlace): Promise<DeliveryRefusedError | undefined> {
  const name = `${database}.${table}`;
  const [found] = (await ask(TABLE, { database, table })) as readonly TableRow[];
  if (found === undefined) return new DeliveryRefusedError(`ClickHouse has no table ${name}, or does not show it to this login: create it`);
  const { engine, engine_full: definition } = found;
  if (!engine.endsWith('MergeTree'))
    return new DeliveryRefusedError(
      `table ${name} has the engine ${engine}, which cannot tell an insert that comes again: write to a table of the MergeTree family`,
    );
  const setting = /^(Replicated|Shared)/.test(engine) ? 'replicated_deduplication_window' : 'non_replicated_deduplication_window';
  const own = new RegExp(`\\b${setting} = '?(\\d+)`).exec(definition)?.[1];
  const [usual] = own === undefined ? ((await ask(DEFAULT, { name: setting })) as readonly { readonly value: string }[]) : [];
  if (Number(own ?? usual?.value ?? 0) > 0) return undefined;
  return new DeliveryRefusedError(
    `table ${name} remembers no inserts, so one that comes again would double its rows: ALTER TABLE ${name} MODIFY SETTING ${setting} = 1000`,
  );
}
