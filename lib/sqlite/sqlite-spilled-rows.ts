import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { SpilledRow, SpilledRows } from '../ports/spilled-rows.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import type { Due } from '../protocol/event-time.ts';
import { loadSqlite } from './load-sqlite.ts';

/** SQLite makes a file of its own in the folder for temporary files, which has no name from the start: it goes with the process. */
const NAMELESS = '';
/** A page's number of the table: a key of two columns would have SQLite keep nearly every page in two pieces, and cost four times as much. */
const PAGES_OF_GROUP = 2 ** 32;
/** What of the file is in memory. */
const CACHE_KIB = 4096;

/**
 * Rows in a file that outlives nothing. So there is one transaction, which never ends: nothing is synced, and nothing can be taken back.
 */
export function openSpilledRows(): SpilledRows {
  const db = new (loadSqlite().DatabaseSync)(NAMELESS);
  exec(
    db,
    `
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -${CACHE_KIB};
    CREATE TABLE rows (g INTEGER NOT NULL, k BLOB NOT NULL, v BLOB NOT NULL, e REAL, p REAL, PRIMARY KEY (g, k)) WITHOUT ROWID;
    CREATE INDEX event ON rows (e) WHERE e IS NOT NULL;
    CREATE INDEX processing ON rows (p) WHERE p IS NOT NULL;
    CREATE TABLE pages (id INTEGER PRIMARY KEY, v BLOB NOT NULL);
    BEGIN`,
  );
  const insert = db.prepare('INSERT INTO rows (g, k, v, e, p) VALUES (?, ?, ?, ?, ?)');
  // Two statements: RETURNING costs more than both, above all where there is no row.
  const find = db.prepare('SELECT v FROM rows WHERE g = ? AND k = ?');
  const remove = db.prepare('DELETE FROM rows WHERE g = ? AND k = ?');
  const first = db.prepare('SELECT k, v FROM rows WHERE g = ? ORDER BY k LIMIT ?');
  const next = db.prepare('SELECT k, v FROM rows WHERE g = ? AND k > ? ORDER BY k LIMIT ?');
  const event = db.prepare('SELECT min(e) AS ms FROM rows WHERE e IS NOT NULL');
  const processing = db.prepare('SELECT min(p) AS ms FROM rows WHERE p IS NOT NULL');
  const eventBy = db.prepare('SELECT g, k FROM rows WHERE e IS NOT NULL AND e <= ? LIMIT ?');
  const processingBy = db.prepare('SELECT g, k FROM rows WHERE p IS NOT NULL AND p <= ? LIMIT ?');
  const insertPage = db.prepare('INSERT INTO pages (id, v) VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v');
  const pageOf = db.prepare('SELECT v FROM pages WHERE id = ?');
  const clearRows = db.prepare('DELETE FROM rows WHERE g = ?');
  const clearPages = db.prepare('DELETE FROM pages WHERE id BETWEEN ? AND ?');
  let size = 0;

  function earliest(statement: StatementSync): number | undefined {
    return (get(statement)?.['ms'] as number | null | undefined) ?? undefined;
  }

  return {
    get size() {
      return size;
    },
    put(keyGroup, key, held, due) {
      run(insert, keyGroup, Buffer.from(key, 'latin1'), held, due?.eventMs ?? null, due?.processingMs ?? null);
      size++;
    },
    take(keyGroup, key) {
      const bytes = Buffer.from(key, 'latin1');
      const row = get(find, keyGroup, bytes);
      if (row === undefined) return undefined;
      run(remove, keyGroup, bytes);
      size--;
      return bytesOf(row['v']);
    },
    list(keyGroup, limit, behind) {
      const rows = behind === undefined ? all(first, keyGroup, limit) : all(next, keyGroup, Buffer.from(behind, 'latin1'), limit);
      return rows.map(({ k, v }): SpilledRow => ({ keyGroup, key: bytesOf(k).toString('latin1'), held: bytesOf(v) }));
    },
    due(): Due | undefined {
      const eventMs = earliest(event);
      const processingMs = earliest(processing);
      return eventMs === undefined && processingMs === undefined ? undefined : { eventMs, processingMs };
    },
    dueBy(eventMs, processingMs, limit) {
      const rows = [...all(eventBy, eventMs, limit), ...all(processingBy, processingMs, limit)];
      return rows.slice(0, limit).map(({ g, k }) => ({ keyGroup: Number(g), key: bytesOf(k).toString('latin1') }));
    },
    putPage(keyGroup, page, entries) {
      run(insertPage, pageId(keyGroup, page), entries);
    },
    page(keyGroup, page) {
      const row = get(pageOf, pageId(keyGroup, page));
      return row === undefined ? undefined : bytesOf(row['v']);
    },
    clearGroup(keyGroup) {
      size -= run(clearRows, keyGroup);
      run(clearPages, pageId(keyGroup, 0), pageId(keyGroup + 1, 0) - 1);
    },
    clear() {
      exec(db, 'DELETE FROM rows; DELETE FROM pages');
      size = 0;
    },
    close: () => db.close(),
  };
}

function pageId(keyGroup: number, page: number): number {
  return keyGroup * PAGES_OF_GROUP + page;
}

function bytesOf(value: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = value as Uint8Array<ArrayBuffer>;
  return Buffer.from(buffer, byteOffset, byteLength);
}

type Row = Record<string, SQLOutputValue>;

function exec(db: DatabaseSync, sql: string): void {
  try {
    db.exec(sql);
  } catch (error) {
    throw problemOf(error);
  }
}

/** Answers how many rows it has changed. */
function run(statement: StatementSync, ...values: SQLInputValue[]): number {
  try {
    return Number(statement.run(...values).changes);
  } catch (error) {
    throw problemOf(error);
  }
}

function get(statement: StatementSync, ...values: SQLInputValue[]): Row | undefined {
  try {
    return statement.get(...values);
  } catch (error) {
    throw problemOf(error);
  }
}

function all(statement: StatementSync, ...values: SQLInputValue[]): Row[] {
  try {
    return statement.all(...values);
  } catch (error) {
    throw problemOf(error);
  }
}

/** Nothing of it is needed once more: the epoch is tried again, from its snapshots. */
function problemOf(error: unknown): StoreProblem {
  const said = error instanceof Error ? error.message : String(error);
  return new StoreProblem(
    `could not put out state to the local disk, or read it from there, as ONCEFLOW_STATE_MEMORY_BYTES asks for: ${said}; ` +
      'give the folder for temporary files more room, or another folder (SQLITE_TMPDIR), or raise the bound',
    false,
    { cause: error },
  );
}
