import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { main } from '../../../cli/main.ts';

/** A new folder, in which nothing is. */
function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function init(folder: string): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const code = await main(['init', folder], {}, { log: (line) => said.push(line), error: (line) => said.push(line) });
  return { code, said: said.join('\n') };
}

it('a project is made in a new folder, or in one that is empty, under its name', async () => {
  for (const folder of [join(place(), 'new/clicks'), join(place(), 'clicks')]) {
    if (!folder.includes('new')) mkdirSync(folder);
    expect(await init(folder)).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toContain('.gitignore');
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).toContain('"name": "clicks"');
  }
});

it.each([
  ['that has files', (folder: string) => folder],
  ['that has files, by a path that leads back to it', (folder: string) => `${join(folder, 'new')}/..`],
])('a folder %s is refused, and its files stay as they are: exit code 2', async (_what, path) => {
  const folder = join(place(), 'clicks');
  mkdirSync(folder);
  writeFileSync(join(folder, 'README.md'), 'mine');
  expect(await init(path(folder))).toEqual({
    code: 2,
    said: expect.stringContaining('is there already: name a new folder, or one that is empty'),
  });
  expect(readdirSync(folder)).toEqual(['README.md']);
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('mine');
});

it('a name that is none for a package and a stack is refused', async () => {
  expect(await init(join(place(), 'My_Stream'))).toMatchObject({
    code: 2,
    said: expect.stringContaining('My_Stream must be a name for job'),
  });
});
