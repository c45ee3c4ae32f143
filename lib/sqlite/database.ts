import { existsSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { jittered } from '../ports/pause.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { loadSqlite } from './load-sqlite.ts';
import { schemaIn } from './schema.ts';
import { sqliteCode, sqliteProblem } from './sqlite-problem.ts';
import { transact } from './transact.ts';

/** Jobs and epochs in one file, for the processes of one machine. A file that is missing is an empty one. */
export interface Database {
  /** One query, of what is committed. It waits for no writer. */
  read<T>(what: string, query: (db: DatabaseSync) => T): Promise<T>;
  /**
   * One transaction: what `work` does is done wholly or not at all, whoever is killed meanwhile, and no other process changes
   * anything in between. It is answered when it would survive a power cut. @param creates the file is made if there is none
   */
  write<T>(what: string, work: (db: DatabaseSync) => T, creates?: 'creates'): Promise<T>;
  /** Which of the files that were there one after the other is open: what was known of one is nothing of the next. */
  opening(): number;
  close(): void;
}

/** A file of SQLite's that is none. */
const IN_MEMORY = ':memory:';

/** What another process does takes a few milliseconds, unless it is stopped in the middle of it: 6 s, and often, so that nobody starves. */
const BUSY_PAUSES_MS = [1, 2, 5, 10, ...Array.from({ length: 300 }, () => 20)];

/** The file is opened by the first call. @param busyPausesMs between the tries of a call that finds the file in use */
export function openDatabase({
  file,
  busyPausesMs = BUSY_PAUSES_MS,
}: {
  readonly file: string;
  readonly busyPausesMs?: readonly number[];
}): Database {
  let opened: { readonly db: DatabaseSync; readonly is: Stats } | undefined;
  let openings = 0;

  function current(creates: boolean): DatabaseSync {
    if (opened === undefined) {
      if (!creates && !existsSync(file)) return connect(IN_MEMORY);
      makeFolder(dirname(file));
      const db = connect(file);
      opened = { db, is: statSync(file) };
      openings++;
    } else if (!isSame(opened.is, statSync(file, { throwIfNoEntry: false }))) {
      // What this process would write goes nowhere, and fences nobody. The connection is left as it is: closing it may touch what took the file's place.
      opened = undefined;
      throw new StoreProblem(
        `the file ${file} (ONCEFLOW_TABLE) was removed or replaced while this process worked on it: start the job again, on a file that stays`,
        false,
      );
    }
    return opened.db;
  }

  async function untilFree<T>(what: string, creates: boolean, work: (db: DatabaseSync) => T): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return work(current(creates));
      } catch (error) {
        const pauseMs = busyPausesMs[tries];
        if (pauseMs === undefined || sqliteCode(error) !== 'busy') throw sqliteProblem(error, what, file);
        await sleep(jittered(pauseMs, Math.random()));
      }
    }
  }

  return {
    read: (what, query) => untilFree(what, false, query),
    write: (what, work, creates) => untilFree(what, creates === 'creates', (db) => transact(db, 'IMMEDIATE', () => work(db))),
    opening: () => openings,
    close() {
      opened?.db.close();
      opened = undefined;
    },
  };
}

/** Not by the constructor's `timeout`: SQLite would wait for another process with this one's event loop at a stand. */
function connect(file: string): DatabaseSync {
  const db = new (loadSqlite().DatabaseSync)(file);
  try {
    expectLog(db, file);
    // The second and the third matter on macOS alone, where a sync does not reach the disk without them.
    db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
    schemaIn(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Without a write-ahead log a commit is not safe from a power cut with one sync, and who reads waits for who writes. SQLite refuses it in silence. */
function expectLog(db: DatabaseSync, file: string): void {
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode === 'wal' || file === IN_MEMORY) return;
  throw new StoreProblem(
    `the file ${file} (ONCEFLOW_TABLE) lies where SQLite keeps no write-ahead log: name one on a disk of this machine`,
    false,
  );
}

/** Not `recursive`: Node does not come back from a file system that has no folder and takes none, such as /proc. */
function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isSame(one: Stats, other: Stats | undefined): boolean {
  return one.ino === other?.ino && one.dev === other.dev;
}
