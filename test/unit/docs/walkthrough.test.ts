import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const ROW = /^\| (`[^|]+) \| (.*) \|$/;
const CODE = /`([^`]+)`/g;
const FILE = /^[\w./-]+\.ts$/;
const NAME = /^[#\w.]+$/;

const rows = readFileSync('docs/walkthrough.md', 'utf8')
  .split('\n')
  .flatMap((line, index) => {
    const [, files = '', what = ''] = ROW.exec(line) ?? [];
    return files === '' ? [] : [{ line: index + 1, files: codesIn(files), what: codesIn(what) }];
  });

function codesIn(text: string): string[] {
  return [...text.matchAll(CODE)].map(([, code = '']) => code);
}

/** A file is named by its path, or, beside one that is, by its name. */
function pathsOf({ files, what }: (typeof rows)[number]): { readonly found: string[]; readonly missing: string[] } {
  const named = [...files, ...what].filter((code) => FILE.test(code));
  const folders = new Set(named.filter((file) => file.includes('/')).map(dirname));
  const found: string[] = [];
  const missing: string[] = [];
  for (const file of named) {
    const path = [file, ...[...folders].map((folder) => join(folder, file))].find((each) => existsSync(each));
    if (path === undefined) missing.push(file);
    else found.push(path);
  }
  return { found, missing };
}

it('every file of the walkthrough is there, and every name is in a file of its row', () => {
  expect(rows.length).toBeGreaterThan(50);
  const wrong = rows.flatMap((row) => {
    const { found, missing } = pathsOf(row);
    const text = found.map((path) => readFileSync(path, 'utf8')).join('\n');
    const names = row.what.filter((code) => NAME.test(code) && !FILE.test(code));
    const strange = names.filter((name) => !text.includes(name.split('.').at(-1) ?? name));
    return [...missing, ...strange].map((what) => `line ${row.line}: ${what}`);
  });
  expect(wrong).toEqual([]);
});
