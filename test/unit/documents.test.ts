import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

/** What people read. Decisions say what was, the changelog too. */
const documents = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...globSync(['docs/*.md', 'docs/operators/*.md'])];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

const folder = mkdtempSync(join(tmpdir(), 'onceflow-documents-'));
afterAll(() => rmSync(folder, { recursive: true }));

const codeIn = (text: string) => [...text.matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm)].map(({ groups }) => groups?.['code'] ?? '');
const snippets = documents.flatMap((file) =>
  codeIn(readFileSync(file, 'utf8')).map((code, index) => [`${file}, ${index + 1}`, code] as const),
);

it.each(snippets)('the code in %s imports all that it uses', (_where, code) => {
  const file = join(folder, `snippet-${snippets.findIndex(([, other]) => other === code)}.ts`);
  writeFileSync(file, code);
  writeFileSync(
    join(folder, 'biome.json'),
    JSON.stringify({ linter: { rules: { preset: 'none', correctness: { noUndeclaredVariables: 'error' } } } }),
  );
  const lint = () => execFileSync('node_modules/.bin/biome', ['lint', '--config-path', folder, file], { stdio: 'pipe', encoding: 'utf8' });
  expect(lint).not.toThrow();
});

it.each(documents)('%s names commands that there are', (file) => {
  const named = [...readFileSync(file, 'utf8').matchAll(/\bnpm run (?:-s )?(?<name>[a-z:0-9]+)/g)].map(
    ({ groups }) => groups?.['name'] ?? '',
  );
  expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([]);
});

it.each(documents)('%s leads to files that there are', (file) => {
  const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?<path>[^)#:]+)(?:#[^)]*)?\)/g)].map(({ groups }) => groups?.['path'] ?? '');
  expect(links.filter((path) => !existsSync(join(dirname(file), path)))).toEqual([]);
});

const pages = globSync('docs/operators/*.md').filter((file) => !file.endsWith('README.md'));

it.each(pages)('%s has a drawing, the names elsewhere, an example, and what differs, and is short', (file) => {
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^# .+\n\n.+\n\n```\n[\s\S]+?```\n\n\| Flink \| Kafka Streams \|\n[\s\S]+?```ts\n[\s\S]+?```\n\n## What differs\n/);
  expect(text.split('\n').length).toBeLessThanOrEqual(80);
});

it('the index of operators leads to each of their pages', () => {
  const index = readFileSync('docs/operators/README.md', 'utf8');
  expect(pages.length).toBeGreaterThan(12);
  expect(pages.filter((page) => !index.includes(`](${basename(page)})`))).toEqual([]);
});

it('the README is short: at most 150 lines', () => {
  expect(readFileSync('README.md', 'utf8').split('\n').length - 1).toBeLessThanOrEqual(150);
});

it('no document says that nothing runs between epochs: the coordinator does', () => {
  for (const file of documents) expect(readFileSync(file, 'utf8')).not.toMatch(/nothing (runs )?between epochs/);
});
