import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const module = (path: string) => new URL(`../../../${path}`, import.meta.url).href;

/** Runs a script in a process in which the filter is set up, behind `before`; its output, or with which code it ended. */
async function run(script: string, before = ''): Promise<string> {
  const text = `${before}
    import { keepStrayUseFromEndingTheProcess } from '${module('host/stray-use.ts')}';
    import { OutsideRecordError } from '${module('lib/state/record-scope.ts')}';
    keepStrayUseFromEndingTheProcess();
    setTimeout(() => console.log('lives'), 50);
    ${script}`;
  try {
    const options = { cwd: fileURLToPath(new URL('../../..', import.meta.url)) };
    return (await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text], options)).stdout.trim();
  } catch (error) {
    return `ended with ${(error as { code: number }).code}`;
  }
}

it('a state or an output that is used after its record, in a promise or a timer, does not end the process', async () => {
  expect(await run("void Promise.reject(new OutsideRecordError('count', 'out.emit'));")).toBe('lives');
  expect(await run("setTimeout(() => { throw new OutsideRecordError('count', 'out.emit'); });")).toBe('lives');
});

it('any other error that nobody catches ends it as before', async () => {
  expect(await run("void Promise.reject(new Error('other'));")).toMatch(/^ended with [1-9]/);
  expect(await run("setTimeout(() => { throw new Error('other'); });")).toMatch(/^ended with [1-9]/);
});

it('who listened before, as the runtime of Lambda does, still hears of every other error, and of no stray use', async () => {
  const before = "process.on('unhandledRejection', ({ message }) => { console.log('heard', message); process.exit(0); });";
  expect(await run("void Promise.reject(new Error('other'));", before)).toBe('heard other');
  expect(await run("void Promise.reject(new OutsideRecordError('count', 'out.emit'));", before)).toBe('lives');
});
