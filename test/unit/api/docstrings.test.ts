import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EXAMPLE_GLOBALS } from '../../support/example-globals.ts';
import { entryPoints, exportedNames, type PublicName, publicNames } from '../../support/public-api.ts';

const names = publicNames();

/** What people call: functions, and the methods of streams, of a job's builder, of a job in a test and of a deployment. */
const isCalled = ({ name, kind }: PublicName) =>
  kind === 'function' || (kind === 'method' && /^(\w*Streams?|JobBuilder|TestJob|StreamJob)\./.test(name));

test('whatever an author can name has a docstring that says what it is for', () => {
  expect(names.length).toBeGreaterThan(500);
  expect(names.filter(({ purpose }) => purpose === '').map(({ place, name }) => `${place} ${name}`)).toEqual([]);
});

test('each function, and each method of streams, of a job and of its tests has an example', () => {
  expect(names.filter(isCalled).length).toBeGreaterThan(60);
  expect(names.filter((each) => isCalled(each) && each.examples.length === 0).map(({ place, name }) => `${place} ${name}`)).toEqual([]);
});

test('the examples of docstrings, and the code in the documents, pass the compiler', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  file('tsconfig.json', JSON.stringify(settings()));
  file('globals.ts', EXAMPLE_GLOBALS);
  const imports = [...entryPoints].map(([entry, source]) => importOf(entry, source)).join('\n');
  file('package.json', JSON.stringify({ type: 'module' }));
  // Numbered: names differ by the case of their letters alone, as valueState and ValueState do.
  for (const [number, { name, examples }] of names.entries())
    for (const [index, example] of examples.entries())
      file(`${number}-${name.replaceAll("'", '')}-${index + 1}.ts`, `${imports}\n${example}\n`);
  for (const document of ['README.md', ...globSync(['docs/*.md', 'docs/operators/*.md'])])
    for (const [index, code] of codeIn(document).entries())
      file(`${document.replaceAll('/', '-')}-${index + 1}.ts`, `${code}\nexport {};\n`);

  const { stdout } = spawnSync(process.execPath, [resolve('node_modules/@typescript/native/bin/tsc'), '-p', folder], { encoding: 'utf8' });
  expect(stdout.split('\n').filter((line) => line !== '')).toEqual([]);
});

function settings(): object {
  return {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      allowImportingTsExtensions: true,
      noUnusedLocals: false,
      noUnusedParameters: false,
      verbatimModuleSyntax: false,
      paths: Object.fromEntries([...entryPoints].map(([entry, source]) => [entry, [resolve(source)]])),
    },
    include: ['*.ts'],
  };
}

function importOf(entry: string, source: string): string {
  const imported = exportedNames(source).filter((name) => names.some((each) => each.name === name && each.entry === entry));
  return `import { ${imported.join(', ')} } from '${entry}';`;
}

/** But for what imports files of a project that is not there. */
function codeIn(document: string): string[] {
  return [...readFileSync(document, 'utf8').matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm)]
    .map(({ groups }) => groups?.['code'] ?? '')
    .filter((code) => !code.includes("from './"));
}
