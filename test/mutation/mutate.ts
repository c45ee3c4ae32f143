/**
 * npm run mutate [-- --sample 300] [--seed 1] [--only file[:line]] [--jobs 2] [--resume FILE]
 *
 * Draws mutants of the protocol's sources and tries each against unit tests, stories and 500 seeds, up to the first that
 * catches it. Results go line by line into a report in .onceflow/mutation-results; with --resume into FILE, and mutants that
 * FILE knows are not tried again. Exits with 1 when one survives.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CAUGHT, type Result, runCampaign } from './campaign.ts';
import { engine } from './engine.ts';

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '2' },
    resume: { type: 'string' },
  },
});
const [sample, seed, jobs] = [countOf('sample'), countOf('seed'), countOf('jobs')];
const started = new Date().toISOString().replaceAll(/[:.]/g, '-');
const report = values.resume ?? join(import.meta.dirname, '../../.onceflow/mutation-results', `seed-${seed}-${started}.jsonl`);
mkdirSync(dirname(report), { recursive: true });
console.log(`report: ${report}`);

const startedMs = performance.now();
const results = await runCampaign(engine, { sample, seed, only: values.only }, jobs, readReport(), (result) => {
  appendFileSync(report, `${JSON.stringify(result)}\n`);
  if (result.outcome !== 'does not compile')
    console.log(`${result.outcome.padEnd(10)} ${(result.usedMs / 1_000).toFixed(1).padStart(5)} s  ${result.file}:${result.line}`);
});
summarize(results);

function summarize(all: readonly Result[]): void {
  const count = (...outcomes: Result['outcome'][]) => all.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const survivors = all.filter(({ outcome }) => outcome === 'survived');
  for (const { file, line, operator, within, before, after, nth, files, seeds, by } of survivors)
    console.log(
      `\n${file}:${line}, in ${within || 'the file itself'}, ${operator}${nth > 1 ? `, place ${nth}` : ''}: ` +
        `${files + seeds === 0 ? by : `passed ${files} test files and ${seeds} seeds`}\n  - ${shortened(before)}\n  + ${shortened(after)}`,
    );
  const caught = count(...CAUGHT);
  console.log(`\n${CAUGHT.map((by) => `${by} ${count(by)}`).join(', ')}; survived ${survivors.length}`);
  console.log(`equivalent ${count('equivalent')}, refused by the compiler and not tried ${count('does not compile')}`);
  console.log(
    `${caught} of ${caught + survivors.length} mutants caught (${((100 * caught) / (caught + survivors.length || 1)).toFixed(1)} %), ` +
      `in ${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes`,
  );
  process.exitCode = survivors.length > 0 ? 1 : 0;
}

/** A statement of many lines that is dropped as a whole. */
function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 200)} … ${text.slice(-80)}` : text;
}

function readReport(): Result[] {
  if (!existsSync(report)) return [];
  // The last line may be torn.
  const lines = readFileSync(report, 'utf8').split('\n').slice(0, -1);
  writeFileSync(report, lines.map((line) => `${line}\n`).join(''));
  return lines.map((line) => JSON.parse(line) as Result);
}

function countOf(name: 'sample' | 'seed' | 'jobs'): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} ${values[name]} is no whole number above 0. The default is 300 mutants, seed 1, in 2 processes.`);
}
