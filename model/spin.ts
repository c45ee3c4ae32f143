import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Row } from './rows.ts';

const MODEL = fileURLToPath(new URL('onceflow.pml', import.meta.url));
const MEMORY_MB = 4000;
const LONGEST_RUN = 2_000_000;
/** Where all is looked at: from here on the compiler's optimiser pays for itself, and states are stored in pieces that they share. */
const LARGE_BOUND = 7;
const HUGE_BOUND = 8;

const run = promisify(execFile);
const bigOutput = { maxBuffer: 64 * 1024 * 1024 };

export interface Finding {
  readonly verdict: 'holds' | 'fails';
  /** States that were visited; the product with the cycle detector where one is searched for. */
  readonly states: number;
  readonly seconds: number;
  /** What was violated, in the words of the model. */
  readonly violated: string | undefined;
  /** What happened until then, a line for each step. */
  readonly story: readonly string[];
  /** Steps of the model that no run came to: an assertion there would have proved nothing. */
  readonly unreached: readonly string[];
}

/** The tools that are missing here. */
export async function missingTools(): Promise<string[]> {
  const tools: [string, string][] = [
    ['spin', '-V'],
    ['gcc', '--version'],
  ];
  const found = await Promise.all(
    tools.map(([tool, flag]) =>
      run(tool, [flag]).then(
        () => [],
        () => [tool],
      ),
    ),
  );
  return found.flat();
}

/** Generates the verifier for one row, compiles it, and lets it look at every state within the bound. */
export async function check(row: Row): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'onceflow-model-'));
  const startedMs = performance.now();
  try {
    const defines = definesOf(row);
    await run('spin', ['-a', ...defines, MODEL], { cwd: folder });
    await run('gcc', [...compilerFlags(row), '-o', 'pan', 'pan.c'], { cwd: folder });
    const { stdout } = await run('./pan', [...(row.search === 'cycles' ? ['-l'] : []), `-m${LONGEST_RUN}`, '-w24'], {
      ...bigOutput,
      cwd: folder,
    });
    const seconds = (performance.now() - startedMs) / 1000;
    return await findingOf(stdout, folder, defines, seconds);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function definesOf({ bound, defines }: Row): string[] {
  return [`EPOCHS=${bound.epochs}`, `FAULTS=${bound.faults}`, `STARTS=${bound.starts}`, ...defines].map((define) => `-D${define}`);
}

function compilerFlags({ bound, expect, search }: Row): string[] {
  const size = expect === 'fails' ? 0 : bound.epochs + bound.faults + bound.starts;
  const effort = size >= HUGE_BOUND ? ['-O2', '-DCOLLAPSE'] : size >= LARGE_BOUND ? ['-O1', '-DCOLLAPSE'] : ['-O0'];
  const how = search === 'cycles' ? ['-DNP'] : expect === 'fails' && search === 'states' ? ['-DSAFETY', '-DBFS'] : ['-DSAFETY'];
  return ['-w', ...effort, `-DMEMLIM=${MEMORY_MB}`, ...how];
}

async function findingOf(output: string, folder: string, defines: readonly string[], seconds: number): Promise<Finding> {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0);
  const complete = !/Search not completed|max search depth too small/.test(output);
  if (errors === undefined || (errors === '0' && !complete)) throw new Error(`the search was not completed:\n${output.slice(0, 2000)}`);
  if (errors === '0') return { verdict: 'holds', states, seconds, violated: undefined, story: [], unreached: unreachedIn(output) };
  const { stdout } = await run('spin', ['-t', '-k', 'onceflow.pml.trail', ...defines, MODEL], { ...bigOutput, cwd: folder });
  return { verdict: 'fails', states, seconds, violated: await violatedIn(output, stdout), story: storyIn(stdout), unreached: [] };
}

function unreachedIn(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => /onceflow\.pml:\d+, state/.test(line) && !line.includes('"-end-"'))
    .map((line) => line.trim());
}

function storyIn(trail: string): string[] {
  return trail
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(coordinator|zombie|the (late|broker|job))\b/.test(line) || line.includes('START OF CYCLE'))
    .map((line) => (line.includes('START OF CYCLE') ? 'and from here on, again and again:' : line));
}

/** Every assertion of the model carries its invariant in a comment on its line. */
async function violatedIn(output: string, trail: string): Promise<string> {
  if (output.includes('non-progress cycle')) return 'I6: it goes on for ever';
  const line = Number(/onceflow\.pml:(\d+), Error: assertion violated/.exec(trail)?.[1]);
  const source = (await readFile(MODEL, 'utf8')).split('\n')[line - 1];
  return /assert\(.*\/\* (.*?) \*\//.exec(source ?? '')?.[1] ?? /pan:1: (.*)/.exec(output)?.[1] ?? 'unknown';
}
