import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import type { SpilledRows } from '../../../lib/ports/spilled-rows.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';

const held = (text: string) => Buffer.from(text);

function using(work: (rows: SpilledRows) => void): void {
  const rows = openSpilledRows();
  try {
    work(rows);
  } finally {
    rows.close();
  }
}

it('a row is there until it is taken out, by key group and key, whatever bytes that has', () => {
  using((rows) => {
    for (const key of ['', 'a', 'a\0', '\u00ff\0b']) rows.put(7, key, held(`of ${key}`), undefined);
    rows.put(8, 'a', held('another'), undefined);
    expect(rows.size).toBe(5);
    for (const key of ['a\0', '', '\u00ff\0b', 'a']) expect(rows.take(7, key)?.toString()).toBe(`of ${key}`);
    for (const key of ['a\0', '', '\u00ff\0b', 'a']) expect(rows.take(7, key)).toBeUndefined();
    expect(rows.take(8, 'a')?.toString()).toBe('another');
    expect(rows.size).toBe(0);
  });
});

it('rows of a key group are listed in order of bytes, page by page, and stay', () => {
  using((rows) => {
    const keys = ['', '\0', 'a', 'b', '\u0080', '\u00ff'];
    for (const key of keys.toReversed()) rows.put(3, key, held(key), undefined);
    rows.put(4, 'x', held('x'), undefined);
    const first = rows.list(3, 4);
    const second = rows.list(3, 4, first.at(-1)?.key);
    expect([...first, ...second].map(({ key }) => key)).toEqual(keys);
    expect(rows.size).toBe(7);
  });
});

it('it is known what waits for the earliest time, in each domain, and whose time has come', () => {
  using((rows) => {
    expect(rows.due()).toBeUndefined();
    rows.put(1, 'never', held(''), undefined);
    rows.put(1, 'early', held(''), { eventMs: -5 });
    rows.put(2, 'late', held(''), { eventMs: 10, processingMs: 3 });
    expect(rows.due()).toEqual({ eventMs: -5, processingMs: 3 });
    expect(rows.dueBy(Number.NEGATIVE_INFINITY, 2, 10)).toEqual([]);
    expect(rows.dueBy(-5, 2, 10)).toEqual([{ keyGroup: 1, key: 'early' }]);
    expect(rows.dueBy(Number.NEGATIVE_INFINITY, 3, 10)).toEqual([{ keyGroup: 2, key: 'late' }]);
    rows.take(1, 'early');
    expect(rows.due()).toEqual({ eventMs: 10, processingMs: 3 });
    rows.clear();
    expect([rows.size, rows.due()]).toEqual([0, undefined]);
  });
});

it('what is beyond the cache is in a file without a name: a process that is killed leaves nothing', () => {
  const before = new Set(namedFiles());
  using((rows) => {
    for (let index = 0; index < 20_000; index++) rows.put(0, `key-${index}`, Buffer.alloc(500), undefined);
    expect(namedFiles().filter((name) => !before.has(name))).toEqual([]);
    if (process.platform === 'linux') expect(openFiles().filter((file) => file.endsWith(' (deleted)')).length).toBeGreaterThan(0);
  });
});

it('a page is there as it was put last, whatever rows there are, until all is cleared', () => {
  using((rows) => {
    rows.put(1, 'a', held('row'), undefined);
    rows.putPage(1, 0, held('first'));
    rows.putPage(1, 0, held('second'));
    rows.putPage(1, 7, held('seventh'));
    expect([rows.page(1, 0)?.toString(), rows.page(1, 1), rows.page(1, 7)?.toString(), rows.page(2, 0)]).toEqual([
      'second',
      undefined,
      'seventh',
      undefined,
    ]);
    expect(rows.size).toBe(1);
    rows.clear();
    expect([rows.page(1, 0), rows.size]).toEqual([undefined, 0]);
  });
});

it('a key group is forgotten with its rows and pages, and no other', () => {
  using((rows) => {
    for (const keyGroup of [1, 2, 3]) {
      rows.put(keyGroup, 'a', held('row'), undefined);
      rows.putPage(keyGroup, 0, held('first'));
      rows.putPage(keyGroup, 100_000, held('last'));
    }
    rows.clearGroup(2);
    const left = (keyGroup: number) => [rows.list(keyGroup, 9).length, rows.page(keyGroup, 0), rows.page(keyGroup, 100_000)];
    expect([left(1), left(2), left(3)]).toEqual([
      [1, held('first'), held('last')],
      [0, undefined, undefined],
      [1, held('first'), held('last')],
    ]);
    expect(rows.size).toBe(2);
  });
});

it('what the disk refuses says which option asked for it, and what to do', () => {
  const rows = openSpilledRows();
  rows.close();
  expect(() => rows.put(1, 'a', held('x'), undefined)).toThrow(/ONCEFLOW_STATE_MEMORY_BYTES.*SQLITE_TMPDIR\), or raise the bound/);
});

/** Those of SQLite in the folders that it may use. */
function namedFiles(): string[] {
  return [tmpdir(), '/var/tmp', '/tmp'].flatMap((folder) => {
    try {
      return readdirSync(folder).filter((name) => name.startsWith('etilqs_'));
    } catch {
      return [];
    }
  });
}

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return [];
    }
  });
}
