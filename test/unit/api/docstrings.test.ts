import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
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
  const file = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  file('tsconfig.json', JSON.stringify(settings()));
  file('globals.ts', EXAMPLE_GLOBALS);
  const imports = [...entryPoints].map(([entry, source]) => importOf(entry, source)).join('\n');
  file('package.json', JSON.stringify({ type: 'module' }));
  // Numbered: names differ by the case of their letters alone, as valueState and ValueState do.
  for (const [number, { name, examples }] of names.entries())
    for (const [index, example] of examples.entries())
      file(`${number}-${name.replaceAll("'", '')}-${index + 1}.ts`, `${imports}\n${example}\n`);
  for (const document of ['README.md', 'CONTRIBUTING.md', ...globSync(['docs/*.md', 'docs/operators/*.md'])])
    for (const { name, code } of codeIn(document)) file(join(document.replaceAll('/', '-'), name), `${code}\nexport {};\n`);
  file('docs-formats.md/gen/order_pb.d.ts', GENERATED);

  const { stdout } = spawnSync(process.execPath, [resolve('node_modules/@typescript/native/bin/tsc'), '-p', folder], { encoding: 'utf8' });
  expect(stdout.split('\n').filter((line) => line !== '')).toEqual([]);
});

function settings(): object {
  return {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      verbatimModuleSyntax: false,
      paths: Object.fromEntries([...entryPoints].map(([entry, source]) => [entry, [resolve(source)]])),
    },
    include: ['*.ts', '*/**/*.ts'],
  };
}

function importOf(entry: string, source: string): string {
  const imported = exportedNames(source).filter((name) => names.some((each) => each.name === name && each.entry === entry));
  return `import { ${imported.join(', ')} } from '${entry}';`;
}

/**
 * The blocks of a document are files of one folder, so that a test finds the job that it imports: a block has the name that the paragraph
 * before it begins or ends with, as in "The job, `orders.ts`:". Files of a checkout are those of this one.
 */
function codeIn(document: string): { readonly name: string; readonly code: string }[] {
  const blocks = readFileSync(document, 'utf8').matchAll(
    /(?:`(?<name>[\w-]+\.ts)`[^\n]*\n(?:[^\n]+\n)*\n)?^```ts\n(?<code>[\s\S]*?)^```/gm,
  );
  return [...blocks].map(({ groups }, index) => ({
    name: groups?.['name'] ?? `${index + 1}.ts`,
    code: (groups?.['code'] ?? '').replaceAll("from '../../", `from '${resolve('.')}/`),
  }));
}

/** What protoc-gen-es would have made. */
const GENERATED = `
import type { Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
export declare const OrderSchema: GenMessage<Message & { readonly id: bigint }>;
`;
