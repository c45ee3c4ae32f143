import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { parameters } from '../../../lib/config/parameters.ts';
import { heapLimits } from '../../../local/functions/heap-limits.ts';

const bound = { [parameters.stateMemoryBytes.variable]: '8000000' };

it('a process whose keyed state has a bound keeps little garbage of short life, unless somebody has said how much', () => {
  expect(heapLimits(bound, [])).toEqual(['--max-semi-space-size=4']);
  expect(heapLimits({ ...bound, NODE_OPTIONS: '--max-old-space-size=64' }, [])).toHaveLength(1);
  expect(heapLimits({ ...bound, NODE_OPTIONS: '--max-semi-space-size=16' }, [])).toEqual([]);
  expect(heapLimits(bound, ['--max_semi_space_size=1'])).toEqual([]);
});

it('one without a bound is as Node starts it', () => {
  expect(heapLimits({}, [])).toEqual([]);
});

it('who starts the processes of a job that is known loads no parameters for it', () => {
  const RUN_JOB = new URL('../../../local/functions/run-job.ts', import.meta.url);
  const listed = `
    const { registerHooks } = require('node:module');
    registerHooks({ load: (url, context, next) => { console.log(url); return next(url, context); } });
    import('${RUN_JOB}');
  `;
  const loaded = execFileSync(process.execPath, ['--eval', listed], { encoding: 'utf8' }).trim().split('\n');
  expect(loaded).toContain(RUN_JOB.href);
  expect(loaded.filter((url) => /lib\/config\/parameters|\/zod\//.test(url))).toEqual([]);
});
