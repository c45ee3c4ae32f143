import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { claimFolder } from '../../../dev/claim-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'onceflow-dev-claim-'));
afterAll(() => rmSync(root, { recursive: true }));

const CLAIM = fileURLToPath(new URL('../../../dev/claim-folder.ts', import.meta.url));
/** What another process says that tries. */
function tryElsewhere(folder: string): string {
  const source = `const { claimFolder } = await import(${JSON.stringify(CLAIM)});
    try { claimFolder(${JSON.stringify(folder)}, false); console.log('has it'); } catch (error) { console.log(error.message); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });
  return stdout + stderr;
}

it('a folder is of one process, which others are told; and of the next one when it is given back, or its owner is gone', () => {
  const folder = join(root, 'made/when/needed');
  const claim = claimFolder(folder, false);
  const other = `another "onceflow dev" \\(process ${process.pid}\\) works in ${folder}: end it, or name another folder with --dir`;
  expect(tryElsewhere(folder)).toMatch(new RegExp(other));
  claim.release();
  expect(tryElsewhere(folder)).toBe('has it\n');
  claimFolder(folder, false).release();
});

it('what is in it stays, unless it is to be forgotten', () => {
  const folder = join(root, 'kept');
  claimFolder(folder, false).release();
  writeFileSync(join(folder, 'epochs.sqlite'), '');
  claimFolder(folder, false).release();
  expect(existsSync(join(folder, 'epochs.sqlite'))).toBe(true);
  claimFolder(folder, true).release();
  expect(readdirSync(folder).sort()).toEqual(['lock', 'owner']);
});

it('one that cannot be made is said with what to do', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => claimFolder(join(root, 'file/below'), false)).toThrow(
    /^the folder .*file\/below cannot be written to \(.*\): name another with --dir$/,
  );
});
