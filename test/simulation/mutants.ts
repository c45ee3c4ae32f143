/** `npm run simulate:mutants`: see USAGE. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { argumentsOf, wholeNumber } from '../../local/command.ts';
import { mutants } from './mutants/mutants.ts';
import type { MutantResult } from './mutants/one.ts';

const USAGE = `npm run simulate:mutants [-- [--seeds N] [--jobs J] [--only TEXT]]

Switches off one protective line at a time and runs seeds until one of them violates an invariant. Exits with 1 when a mutant survives N
seeds (default 3000), or its text is not in the sources any more. --only: those whose name has TEXT in it. J processes (default 2).`;

const options = {
  seeds: { type: 'string', default: '3000' },
  jobs: { type: 'string', default: '2' },
  only: { type: 'string', default: '' },
} as const;
const values = argumentsOf({ name: 'npm run simulate:mutants', usage: USAGE, options }, ({ seeds, jobs, only }) => ({
  seeds: String(wholeNumber('seeds', seeds, 1)),
  jobs: wholeNumber('jobs', jobs, 1),
  only,
}));
const ONE = join(import.meta.dirname, 'mutants', 'one.ts');

const chosen = mutants.map((mutant, index) => ({ ...mutant, index })).filter(({ name }) => name.includes(values.only));
const queue = [...chosen];
const results = new Map<number, MutantResult | string>();
await Promise.all(Array.from({ length: values.jobs }, work));

async function work(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const result = await runOne(next.index);
    results.set(next.index, result);
    console.log(
      `${typeof result === 'string' ? 'BROKEN' : result.seed === undefined ? 'SURVIVED' : `caught by ${result.invariant} at seed ${result.seed}`}: ${next.name}`,
    );
  }
}

async function runOne(index: number): Promise<MutantResult | string> {
  const child = fork(ONE, ['--mutant', String(index), '--seeds', values.seeds], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  let result: MutantResult | undefined;
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.on('message', (message) => {
    result = message as MutantResult;
  });
  await once(child, 'exit');
  return result ?? errors.trim();
}

const width = Math.max(...chosen.map(({ name }) => name.length));
console.log(`\n| ${'protective line, switched off'.padEnd(width)} | caught by | seeds | how |\n|${'-'.repeat(width + 2)}|---|---|---|`);
let survived = 0;
for (const { index, name } of chosen) {
  const result = results.get(index);
  if (typeof result === 'object' && result.seed !== undefined)
    console.log(
      `| ${name.padEnd(width)} | ${result.invariant} | ${result.seeds} | ${(result.message ?? '').replaceAll('|', '/').slice(0, 110)} |`,
    );
  else {
    survived++;
    console.log(
      `| ${name.padEnd(width)} | ${typeof result === 'string' ? `broken: ${result.slice(0, 300)}` : 'SURVIVED'} | ${typeof result === 'object' ? result.seeds : ''} | |`,
    );
  }
}
console.log(`${chosen.length - survived} of ${chosen.length} mutants caught`);
process.exitCode = survived > 0 ? 1 : 0;
