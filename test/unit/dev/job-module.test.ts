import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type JobModule, jobModule, moduleOf } from '../../../dev/job-module.ts';

// Each look is a process of its own.
vi.setConfig({ testTimeout: 60_000 });

const API = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'onceflow-dev-module-'));
const module = join(root, 'job.ts');
const helper = join(root, 'helper.ts');
const ENV = { ONCEFLOW_BROKERS: 'nowhere:9092', ONCEFLOW_BLOBS: `file://${root}/blobs` };
afterAll(() => rmSync(root, { recursive: true }));

const text = (name: string, before = '') => `import { defineJob, kafkaSource, utf8 } from '${API}';
${before}
export default defineJob('${name}', (job) => void job.source('read', kafkaSource({ topic: 'lines', value: utf8 })));
`;

let saves = 0;
/** With a time that is another each time, however soon it follows. */
function save(file: string, content: string): void {
  writeFileSync(file, content);
  const seconds = 1_700_000_000 + saves++;
  utimesSync(file, seconds, seconds);
}

let job: JobModule;
beforeEach(() => {
  rmSync(helper, { force: true });
  save(module, text('first'));
  job = jobModule(module, ENV, join(root, 'translated'));
});

const nameOf = () => {
  const looked = job.look();
  return looked instanceof Error ? looked.message : looked.summary.name;
};

describe("a job's module that is watched", () => {
  it('has changed when it is saved, and not before', () => {
    expect(nameOf()).toBe('first');
    expect(job.hasChanged()).toBe(false);
    save(module, text('second'));
    expect(job.hasChanged()).toBe(true);
    expect(nameOf()).toBe('second');
    expect(job.hasChanged()).toBe(false);
  });

  it('has changed when a module is saved that it imports', () => {
    save(helper, "export const name = 'one';");
    save(module, text('${name}', "import { name } from './helper.ts';").replaceAll("'${name}'", 'name'));
    expect(nameOf()).toBe('one');
    save(helper, "export const name = 'two';");
    expect(job.hasChanged()).toBe(true);
    expect(nameOf()).toBe('two');
  });

  it('is an error as a value while it is not right, and changes when that is mended, also by a file that was missing', () => {
    expect(nameOf()).toBe('first');
    save(module, text('first', "import './helper.ts';"));
    expect(nameOf()).toMatch(/job\.ts: the module cannot be loaded: Cannot find module '.*helper\.ts'/);
    expect(job.hasChanged()).toBe(false);
    save(helper, '');
    expect(job.hasChanged()).toBe(true);
    expect(nameOf()).toBe('first');
    save(helper, 'const = 1;');
    expect(nameOf()).toMatch(/cannot be loaded: Unexpected token/);
    save(helper, '');
    expect(job.hasChanged()).toBe(true);
  });

  it('that exports no job, two, or throws, is said in one line', () => {
    save(module, 'export {};');
    expect(nameOf()).toMatch(/job\.ts: the module has no default export made by defineJob$/);
    save(
      module,
      text('first').replace('export default', 'export const one =') +
        text('second').split('\n')[2]?.replace('export default', 'export const two ='),
    );
    expect(nameOf()).toMatch(
      /made by defineJob; it has one and two, and a module is one job; export one as the default: "export default one"$/,
    );
    save(module, "throw new RangeError('no clicks');");
    expect(nameOf()).toMatch(/job\.ts: the module cannot be loaded: no clicks \(.*job\.ts:1\)$/);
    save(module, 'process.exit(3);');
    expect(nameOf()).toMatch(/ended the process that loaded it \(exit code 3\): it must do nothing but define the job$/);
    save(module, text('mended'));
    expect(job.hasChanged()).toBe(true);
  });

  it('that Node cannot load as it is written is translated into a file that it can', async () => {
    save(module, text('translated', "export enum Color { red = 'red' }"));
    const looked = job.look();
    if (looked instanceof Error) throw looked;
    expect(looked.module).toMatch(/translated\/job-[0-9a-f]{12}\.mjs$/);
    expect(readFileSync(looked.module, 'utf8')).toContain('"red"');
    expect((await import(looked.module)).default.name).toBe('translated');
    expect(job.hasChanged()).toBe(false);
    save(module, text('again', "export enum Color { red = 'red' }"));
    expect(job.hasChanged()).toBe(true);
  });
});

describe('the module of a job', () => {
  const cwd = process.cwd();
  const folder = join(root, 'project');
  mkdirSync(join(folder, 'src'), { recursive: true });
  const inFolder = (find: () => string) => {
    process.chdir(folder);
    try {
      return find();
    } finally {
      process.chdir(cwd);
    }
  };

  it('is the one that is named, then that of ONCEFLOW_JOB, then ./src/job.ts; and none is an error that says how to name it', () => {
    expect(() => inFolder(() => moduleOf(undefined, {}))).toThrow(/^which job\? Name its module: onceflow dev \.\/path\/to\/job\.ts/);
    writeFileSync(join(folder, 'src/job.ts'), '');
    expect(inFolder(() => moduleOf(undefined, {}))).toBe('./src/job.ts');
    expect(inFolder(() => moduleOf(undefined, { ONCEFLOW_JOB: './other.ts' }))).toBe('./other.ts');
    expect(inFolder(() => moduleOf('src/job.ts', { ONCEFLOW_JOB: './other.ts' }))).toBe('./src/job.ts');
    expect(inFolder(() => moduleOf('a-package/job.js', {}))).toBe('a-package/job.js');
  });
});
