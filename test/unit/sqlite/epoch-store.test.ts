import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { type Database, openDatabase } from '../../../lib/sqlite/database.ts';
import { schemaIn } from '../../../lib/sqlite/schema.ts';
import { createSqliteEpochStore } from '../../../lib/sqlite/sqlite-epoch-store.ts';
import { createSqliteJobRemoval } from '../../../lib/sqlite/sqlite-job-removal.ts';
import { decisionOf, newJobRow } from '../../contracts/epoch-rows.ts';
import { epochStoreContract } from '../../contracts/epoch-store.ts';
import { jobRemovalContract } from '../../contracts/job-removal.ts';
import { savepointStoreContract } from '../../contracts/savepoint-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'onceflow-sqlite-'));
const file = join(folder, 'made/when/needed.sqlite');
const opened: Database[] = [];

afterAll(() => {
  for (const database of opened) database.close();
  rmSync(folder, { recursive: true });
});

function databaseOn(path: string, busyPausesMs?: readonly number[]): Database {
  const database = openDatabase({ file: path, ...(busyPausesMs && { busyPausesMs }) });
  opened.push(database);
  return database;
}

function storeOn(database: Database, nowMs = Date.now): EpochStore {
  return createSqliteEpochStore({ database, where: 'file:///the/file', nowMs });
}

describe('the epoch store in SQLite', () => {
  epochStoreContract(async () => storeOn(databaseOn(file)));

  describe('savepoints', () => {
    savepointStoreContract(async () => storeOn(databaseOn(file)));
  });

  describe('the removal of a job', () => {
    jobRemovalContract(async () => {
      const database = databaseOn(file);
      return { store: storeOn(database), another: storeOn(databaseOn(file)), removal: createSqliteJobRemoval({ database }) };
    });
  });

  it('finds nothing in a file that is not there, and does not make it', async () => {
    const path = join(folder, 'never-made.sqlite');
    const store = storeOn(databaseOn(path));
    expect(await store.readJob('job')).toBeUndefined();
    await expect(store.raiseGeneration('job', 'h', 1)).rejects.toThrow('there is no job job in table file:///the/file (ONCEFLOW_TABLE)');
    expect(existsSync(path)).toBe(false);
  });

  it('lists a savepoint that it cannot read as that, beside those that it can', async () => {
    const path = join(folder, 'damaged.sqlite');
    const store = storeOn(databaseOn(path));
    const row = newJobRow();
    await store.createJob(row);
    const decision = decisionOf(row);
    await store.decide(decision);
    const { job, incarnation, fingerprint, maxParallelism } = row;
    const of = { job, incarnation, fingerprint, maxParallelism, epoch: 0, decisionId: decision.decisionId, manifest: decision.manifest };
    const saved = { ...of, id: 'i', standing: 'complete', createdAtMs: 1 } as const;
    for (const name of ['a', 'b', 'c']) expect(await store.createSavepoint({ ...saved, name })).toBe('created');
    const raw = new DatabaseSync(path);
    raw.prepare("UPDATE savepoints SET savepoint = '{' WHERE name = 'a'").run();
    raw.prepare(`UPDATE savepoints SET manifest = '{"version":99}' WHERE name = 'c'`).run();
    raw.close();
    const unreadable = (name: string) => ({
      job,
      name,
      standing: 'unreadable',
      why: expect.stringContaining(`savepoint ${name} of job ${job}`),
    });
    expect(await store.listSavepoints(job)).toEqual([unreadable('a'), { ...saved, name: 'b' }, unreadable('c')]);
    await expect(store.readSavepoint(job, 'a')).rejects.toThrow(StoreProblem);
  });

  it('deletes the rows of retired epochs, once they have expired, with the next decision', async () => {
    let nowMs = 1_000;
    const store = storeOn(databaseOn(file), () => nowMs);
    let row = newJobRow();
    await store.createJob(row);
    const decideNext = async () => {
      await store.decide(decisionOf(row));
      row = (await store.readJob(row.job)) ?? row;
      return (await store.listEpochs(row.job, row.incarnation, -1)).map(({ epoch }) => epoch);
    };
    for (let epoch = 0; epoch < 3; epoch++) await decideNext();
    for (const epoch of [0, 1]) await store.expireEpoch(row.job, row.incarnation, epoch, 2_000 + epoch);
    expect(await decideNext()).toEqual([0, 1, 2, 3]);
    nowMs = 2_000;
    expect(await decideNext()).toEqual([1, 2, 3, 4]);
  });
});

describe('when an answer is lost', () => {
  /** Carries the call out, and says that it failed. */
  function losing(database: Database, lost: number): Database {
    let left = lost;
    return {
      ...database,
      async write(...args) {
        const result = await database.write(...args);
        if (left-- > 0) throw new StoreProblem('the answer was lost', true);
        return result;
      },
    };
  }

  it('a generation that was taken is known by the next call, and by nobody else of that name', async () => {
    const [database, row] = [databaseOn(file), newJobRow()];
    const store = storeOn(database);
    await store.createJob(row);
    const lossy = storeOn(losing(database, 1));
    await expect(lossy.reviveGeneration(row.job, row, 'tick', 5)).rejects.toMatchObject({ retriable: true });
    expect(await store.reviveGeneration(row.job, row, 'tick', 5)).toBeUndefined();
    expect(await lossy.reviveGeneration(row.job, row, 'tick', 5)).toMatchObject({ generation: 2, holder: 'tick' });
    expect(await lossy.renewLease(row.job, 2, 9)).toBe('written');
  });

  it('a decision is ambiguous, and decided when it is repeated, once', async () => {
    const [database, row] = [databaseOn(file), newJobRow()];
    await storeOn(database).createJob(row);
    const [lossy, decision] = [storeOn(losing(database, 1)), decisionOf(row)];
    expect(await lossy.decide(decision)).toBe('ambiguous');
    expect(await lossy.decide(decision)).toBe('decided');
    expect(await lossy.listEpochs(row.job, row.incarnation, -1)).toHaveLength(1);
  });

  it('a new job is created, by the same call', async () => {
    const [database, row] = [databaseOn(file), newJobRow()];
    const lossy = storeOn(losing(database, 1));
    await expect(lossy.createJob(row)).rejects.toMatchObject({ retriable: true });
    expect(await lossy.createJob(row)).toBe('created');
  });
});

describe('two processes on one file', () => {
  const DECIDER = fileURLToPath(new URL('decider.ts', import.meta.url));

  function startDecider(path: string, row: JobRow): { readonly child: ChildProcess; readonly decided: string[] } {
    const child = fork(DECIDER, [path, row.job, 'decider'], { execArgv: [] });
    const decided: string[] = [];
    child.on('message', (decisionId) => decided.push(String(decisionId)));
    return { child, decided };
  }

  it('lose nothing that was answered, and leave no half of a decision, when one after the other is killed', async () => {
    const path = join(folder, 'killed.sqlite');
    const store = storeOn(databaseOn(path));
    const row = newJobRow();
    await store.createJob(row);
    const answered: string[] = [];
    for (let kills = 0; kills < 6; kills++) {
      const { child, decided } = startDecider(path, row);
      await once(child, 'message');
      await new Promise((resolve) => setTimeout(resolve, 7 * kills));
      child.kill('SIGKILL');
      await once(child, 'close');
      answered.push(...decided);
      const [last, epochs] = [await store.readJob(row.job), await store.listEpochs(row.job, row.incarnation, -1)];
      expect(epochs.map(({ epoch }) => epoch)).toEqual(epochs.map((_, index) => index));
      expect(last?.lastCompleted).toEqual({ epoch: epochs.length - 1, decisionId: epochs.at(-1)?.decisionId });
      expect(epochs.map(({ decisionId }) => decisionId)).toEqual(expect.arrayContaining(answered));
    }
  });

  it('that decide at once are one coordinator after the other: the one that was deposed is refused', async () => {
    const path = join(folder, 'deposed.sqlite');
    const store = storeOn(databaseOn(path));
    const row = newJobRow();
    await store.createJob(row);
    const both = [startDecider(path, row), startDecider(path, row)];
    // A decider ends when it is refused, so the one that took the generation first does.
    const ended = await Promise.race(both.map(async ({ child }, index) => ({ index, code: (await once(child, 'exit'))[0] })));
    expect(ended.code).toBe(3);
    const other = both[1 - ended.index];
    other?.child.kill('SIGKILL');
    if (other !== undefined) await once(other.child, 'close');
    const epochs = await store.listEpochs(row.job, row.incarnation, -1);
    expect(epochs.map(({ epoch }) => epoch)).toEqual(epochs.map((_, index) => index));
    expect(epochs.map(({ decisionId }) => decisionId)).toEqual(expect.arrayContaining(both.flatMap(({ decided }) => decided)));
  });

  it('wait for each other, and say after that who keeps them', async () => {
    const path = join(folder, 'busy.sqlite');
    const patient = storeOn(databaseOn(path));
    const row = newJobRow();
    await patient.createJob(row);
    const impatient = storeOn(databaseOn(path, [1, 1]));
    const stopped = new DatabaseSync(path);
    stopped.exec('BEGIN IMMEDIATE');
    await expect(impatient.renewLease(row.job, 1, 9_000)).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: true,
      message: expect.stringMatching(
        /^could not write to a job in .*busy\.sqlite \(ONCEFLOW_TABLE\): database is locked; another process holds it/,
      ),
    });
    expect(await impatient.decide(decisionOf(row))).toBe('ambiguous');
    expect(await impatient.readJob(row.job)).toEqual(row);
    const waiting = patient.decide(decisionOf(row));
    stopped.exec('ROLLBACK');
    stopped.close();
    expect(await waiting).toBe('decided');
  });
});

describe('a file that several processes open anew at once', () => {
  const OPENER = fileURLToPath(new URL('opener.ts', import.meta.url));

  it('is made once, with its folders, and works for all of them', async () => {
    const path = join(folder, 'anew/a/b/c/epochs.sqlite');
    const openers = Array.from({ length: 3 }, (_, index) => fork(OPENER, [path, `job-${index}`], { execArgv: [] }));
    const ready = openers.map((child) => once(child, 'message'));
    await Promise.all(ready);
    const answers = openers.map(async (child) => (await once(child, 'message'))[0]);
    for (const child of openers) child.send('go');
    expect(await Promise.all(answers)).toEqual(openers.map(() => 'created'));
  });

  it('is looked at in one moment: it is not taken for the database of something else while another makes its tables', () => {
    const path = join(folder, 'in-between.sqlite');
    const db = new DatabaseSync(path);
    db.exec('PRAGMA journal_mode = WAL');
    const inBetween = new Proxy(db, {
      get(of, name) {
        const found = Reflect.get(of, name);
        if (typeof found !== 'function') return found;
        return (...args: unknown[]) => {
          const isBetween = name === 'prepare' && args[0] === 'PRAGMA user_version';
          if (isBetween) withDatabase(path, (other) => schemaIn(other, path));
          return found.apply(of, args);
        };
      },
    });
    schemaIn(inBetween, path);
    expect(db.prepare('SELECT count(*) AS n FROM jobs').get()).toEqual({ n: 0 });
    db.close();
  });
});

it('what is written is on the disk when it is answered, also where a sync alone does not bring it there', async () => {
  const database = databaseOn(file);
  const pragmas = await database.write(
    'look',
    (db) => ['journal_mode', 'synchronous', 'fullfsync', 'checkpoint_fullfsync'].map((name) => db.prepare(`PRAGMA ${name}`).get()?.[name]),
    'creates',
  );
  expect(pragmas).toEqual(['wal', 2, 1, 1]);
});

describe('a file that is not right', () => {
  it('because it was removed while the job ran, is said once, and nothing is written to what is gone', async () => {
    const path = join(folder, 'removed.sqlite');
    const store = storeOn(databaseOn(path));
    const row = newJobRow();
    await store.createJob(row);
    renameSync(path, `${path}.away`);
    await expect(store.renewLease(row.job, 1, 9_000)).rejects.toMatchObject({
      retriable: false,
      message: expect.stringMatching(/was removed or replaced/),
    });
    expect(await store.readJob(row.job)).toBeUndefined();
  });

  it('because a copy of before took its place, is held by nobody who took a job in the other: whoever did is superseded', async () => {
    const path = join(folder, 'set-back.sqlite');
    const store = storeOn(databaseOn(path));
    const row = newJobRow();
    await store.createJob(row);
    withDatabase(path, `VACUUM INTO '${path}.before'`);
    expect(await store.decide(decisionOf(row))).toBe('decided');
    for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    renameSync(`${path}.before`, path);
    await expect(store.renewLease(row.job, 1, 9_000)).rejects.toThrow('was removed or replaced');
    expect(await store.readJob(row.job)).toEqual(row);
    expect(await store.renewLease(row.job, 1, 9_000)).toBe('superseded');
    expect(await store.decide(decisionOf(row))).toBe('refused');
    expect(await store.raiseGeneration(row.job, 'next', 9_000)).toMatchObject({ generation: 2 });
    expect(await store.decide(decisionOf({ ...row, generation: 2 }))).toBe('decided');
  });

  it.each([
    ['is no database', 'could not read a job in %s (ONCEFLOW_TABLE): file is not a database; it is no database: name another file'],
    ["is somebody else's", 'the file %s (ONCEFLOW_TABLE) is the database of something else: name another'],
    [
      'is of a newer version',
      'the file %s (ONCEFLOW_TABLE) was written by a newer version of onceflow (its tables are version 3): name another',
    ],
  ])('because it %s, is refused, and left as it is', async (what, message) => {
    const path = join(folder, `${what.replaceAll(/\W/g, '-')}.sqlite`);
    if (what === 'is no database') writeFileSync(path, 'notes to myself '.repeat(100));
    else if (what === 'is of a newer version') {
      await storeOn(databaseOn(path)).createJob(newJobRow());
      withDatabase(path, 'PRAGMA user_version = 3');
    } else withDatabase(path, 'CREATE TABLE jobs (mine TEXT)');
    await expect(storeOn(databaseOn(path)).readJob('job')).rejects.toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message: message.replace('%s', path),
    });
  });

  it('because its folder cannot be made, is refused', async () => {
    const path = '/proc/onceflow/epochs.sqlite';
    await expect(storeOn(databaseOn(path)).createJob(newJobRow())).rejects.toMatchObject({ name: 'StoreProblem', retriable: false });
  });
});

function withDatabase(path: string, work: string | ((db: DatabaseSync) => void)): void {
  const database = new DatabaseSync(path);
  if (typeof work === 'string') database.exec(work);
  else work(database);
  database.close();
}
