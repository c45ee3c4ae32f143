import type { SpilledRow, SpilledRows } from '../ports/spilled-rows.ts';
import type { Due } from '../protocol/event-time.ts';
import { loadSqlite } from './load-sqlite.ts';

/** SQLite makes a file of its own in the folder for temporary files, which has no name from the start: it goes with the process. */
const NAMELESS = '';
/** What of the file is in memory. */
const CACHE_KIB = 4096;

/**
 * Rows in a file that outlives nothing. So there is one transaction, which never ends: nothing is synced, and nothing can be taken back.
 */
export function openSpilledRows(): SpilledRows {
  const db = new (loadSqlite().DatabaseSync)(NAMELESS);
  db.exec(`
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -${CACHE_KIB};
    CREATE TABLE rows (g INTEGER NOT NULL, k BLOB NOT NULL, v BLOB NOT NULL, e REAL, p REAL, PRIMARY KEY (g, k)) WITHOUT ROWID;
    CREATE INDEX event ON rows (e) WHERE e IS NOT NULL;
    CREATE INDEX processing ON rows (p) WHERE p IS NOT NULL;
    BEGIN`);
  const insert = db.prepare('INSERT INTO rows (g, k, v, e, p) VALUES (?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM rows WHERE g = ? AND k = ? RETURNING v');
  const first = db.prepare('SELECT k, v FROM rows WHERE g = ? ORDER BY k LIMIT ?');
  const next = db.prepare('SELECT k, v FROM rows WHERE g = ? AND k > ? ORDER BY k LIMIT ?');
  const event = db.prepare('SELECT min(e) AS ms FROM rows WHERE e IS NOT NULL');
  const processing = db.prepare('SELECT min(p) AS ms FROM rows WHERE p IS NOT NULL');
  const eventBy = db.prepare('SELECT g, k FROM rows WHERE e IS NOT NULL AND e <= ? LIMIT ?');
  const processingBy = db.prepare('SELECT g, k FROM rows WHERE p IS NOT NULL AND p <= ? LIMIT ?');
  const clear = db.prepare('DELETE FROM rows');
  let size = 0;

  function earliest(statement: typeof event): number | undefined {
    return (statement.get()?.['ms'] as number | null | undefined) ?? undefined;
  }

  return {
    get size() {
      return size;
    },
    put(keyGroup, key, held, due) {
      insert.run(keyGroup, Buffer.from(key, 'latin1'), held, due?.eventMs ?? null, due?.processingMs ?? null);
      size++;
    },
    take(keyGroup, key) {
      const row = remove.get(keyGroup, Buffer.from(key, 'latin1'));
      if (row === undefined) return undefined;
      size--;
      return bytesOf(row['v']);
    },
    list(keyGroup, limit, behind) {
      const rows = behind === undefined ? first.all(keyGroup, limit) : next.all(keyGroup, Buffer.from(behind, 'latin1'), limit);
      return rows.map(({ k, v }): SpilledRow => ({ keyGroup, key: bytesOf(k).toString('latin1'), held: bytesOf(v) }));
    },
    due(): Due | undefined {
      const eventMs = earliest(event);
      const processingMs = earliest(processing);
      return eventMs === undefined && processingMs === undefined ? undefined : { eventMs, processingMs };
    },
    dueBy(eventMs, processingMs, limit) {
      const rows = [...eventBy.all(eventMs, limit), ...processingBy.all(processingMs, limit)];
      return rows.slice(0, limit).map(({ g, k }) => ({ keyGroup: Number(g), key: bytesOf(k).toString('latin1') }));
    },
    clear() {
      clear.run();
      size = 0;
    },
    close: () => db.close(),
  };
}

function bytesOf(value: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = value as Uint8Array<ArrayBuffer>;
  return Buffer.from(buffer, byteOffset, byteLength);
}
