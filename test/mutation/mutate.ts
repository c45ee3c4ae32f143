/** `npm run mutate`: see USAGE. Results go line by line into a report in .onceflow/mutation-results, or into the file of --resume. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argumentsOf, fileIn, wholeNumber } from '../../local/command.ts';
import { CAUGHT, type Result, runCampaign } from './campaign.ts';
import { engine } from './engine.ts';

const USAGE = `npm run mutate [-- [--sample N] [--seed N] [--only file[:line]] [--jobs N] [--resume FILE]]

Draws mutants of the protocol's sources and tries each against unit tests, stories and 500 seeds, up to the first that catches it.
Exit code 1 when one survives.

  --sample N       how many (default 300)
  --seed N         which (default 1)
  --only F         of this file alone, or of this line of it
  --jobs N         how many at once (default 2)
  --resume FILE    the report of a run before: what it knows is not tried again`;

const options = {
  sample: { type: 'string', default: '300' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  jobs: { type: 'string', default: '2' },
  resume: { type: 'string' },
} as const;
const { sample, seed, jobs, only, resume } = argumentsOf({ name: 'npm run mutate', usage: USAGE, options }, (given) => ({
  sample: wholeNumber('sample', given.sample, 1),
  seed: wholeNumber('seed', given.seed, 0),
  jobs: wholeNumber('jobs', given.jobs, 1),
  only: given.only,
  resume: fileIn('resume', given.resume),
}));
const started = new Date().toISOString().replaceAll(/[:.]/g, '-');
const report = resume ?? join(import.meta.dirname, '../../.onceflow/mutation-results', `seed-${seed}-${started}.jsonl`);
mkdirSync(dirname(report), { recursive: true });
console.log(`report: ${report}`);

const startedMs = performance.now();
const results = await runCampaign(engine, { sample, seed, only }, jobs, readReport(), (result) => {
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
