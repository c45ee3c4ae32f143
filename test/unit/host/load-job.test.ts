import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { describeName } from '../../../host/job/describe.ts';

// Each is a process of its own.
vi.setConfig({ testTimeout: 30_000 });

const API = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'onceflow-load-job-'));
afterAll(() => rmSync(root, { recursive: true }));

const job = (before = '') => `import { defineJob, kafkaSource, utf8 } from '${API}';
${before}
export default defineJob('orders', (job) => void job.source('read-orders', kafkaSource({ topic: 'orders', value: utf8 })));
`;
const files = {
  'package.json': '{"type":"module"}',
  'jobs/orders.ts': job(),
  'jobs/enum.ts': job("enum Color { red = 'red' }"),
  'jobs/namespace.ts': job('namespace Colors { export const red = 1; }'),
  'jobs/field.ts': job('class Order {\n  constructor(readonly id: string) {}\n}'),
  'jobs/decorator.ts': job('const logged = (value: unknown) => value;\n@logged\nclass Order {}'),
  'jobs/decorated-elsewhere.ts': job("import './decorator.ts';"),
  'jobs/type.ts': job("import { Order } from './types.ts';"),
  'jobs/types.ts': 'export interface Order {}',
  'jobs/broken.ts': job('const = 1;'),
  'jobs/no-ending.ts': job("import './helper';"),
  'jobs/compiled-ending.ts': job("import './helper.js';"),
  'jobs/helper.ts': 'export const help = 1;',
  'jobs/throws.ts': job('(undefined as unknown as { size: number }).size;'),
  'jobs/named.ts': job().replace('export default', 'export const orders ='),
  'jobs/promised.ts': job().replace('export default', 'export default (async () => 1)() ??'),
  'jobs/notes.txt': 'a job',
};
mkdirSync(join(root, 'jobs'));
for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);

const nameOf = (module: string) => describeName({ cwd: root, env: { ONCEFLOW_JOB: module } });

it('a job is found by a path from the working directory, and by a whole path', () => {
  expect(nameOf('./jobs/orders.ts')).toBe('orders');
  expect(nameOf(join(root, 'jobs/orders.ts'))).toBe('orders');
});

it.each([
  [
    'jobs/orders.ts',
    /^wrong configuration: ONCEFLOW_JOB is "jobs\/orders\.ts": .*; write \.\/jobs\/orders\.ts: what does not begin with \. or \/ is a package$/,
  ],
  ['./jobs/orders', /; write \.\/jobs\/orders\.ts: the file's ending is part of its name$/],
  ['./jobs', /; name a file in it: \S+jobs is a folder$/],
  ['./jobs/order.ts', /; correct it: there is no file \S+\/jobs\/order\.ts \(paths are relative to the working directory, \S+\)$/],
  ['orders-job', /; correct it, or begin a path with \.\/: Cannot find package 'orders-job'/],
])('ONCEFLOW_JOB=%s is refused with the name that it should have', (module, message) => {
  expect(() => nameOf(module)).toThrow(message);
});

it.each([
  [
    'enum',
    /^ONCEFLOW_JOB=\.\/jobs\/enum\.ts: .*enum is not supported .*\(jobs\/enum\.ts:2\)\. Node takes types away from TypeScript and translates nothing: write an object, .*"erasableSyntaxOnly"/,
  ],
  ['namespace', /namespace .*\(jobs\/namespace\.ts:2\)\..*: write a module, or an object;/],
  ['field', /parameter property .*\(jobs\/field\.ts:3\)\..*: declare the field, and set it in the constructor;/],
  ['decorator', /Invalid or unexpected token \(jobs\/decorator\.ts:3\)\. If it is a decorator: JavaScript has none yet/],
  ['decorated-elsewhere', /Invalid or unexpected token \(jobs\/decorator\.ts:3\)\. If it is a decorator/],
  ['type', /does not provide an export named 'Order' \(jobs\/type\.ts:2\)\. If it is a type, import it as one/],
  ['broken', /Unexpected token `=`.* \(jobs\/broken\.ts:2\)/],
  ['no-ending', /Cannot find module .*The file is \S+jobs\/helper\.ts: an import names it as it is/],
  ['compiled-ending', /Cannot find module .*The file is \S+jobs\/helper\.ts: an import names it as it is/],
  ['throws', /Cannot read properties of undefined \(reading 'size'\) \(jobs\/throws\.ts:2\)/],
  ['named', /no default export made by defineJob; export orders as the default/],
  ['promised', /no default export made by defineJob$/],
])('a module that cannot be loaded (%s) is refused with the place and the mend, in one line', (name, message) => {
  let said = '';
  try {
    nameOf(`./jobs/${name}.ts`);
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said).toMatch(message);
  expect(said).not.toContain('\n');
});

it('a file that is no module is refused with the endings that there are', () => {
  expect(() => nameOf('./jobs/notes.txt')).toThrow(/Unknown file extension "\.txt".*A job is a file that ends in \.ts, \.mts/);
});
