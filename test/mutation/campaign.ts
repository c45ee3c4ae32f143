import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf } from '../simulation/kernel/dice.ts';
import { createCompiler } from './compiles.ts';
import type { Equivalent } from './equivalent.ts';
import { applied, keyOf, type Mutant, mutantsOf } from './mutants.ts';
import { PROBES_APART } from './reach.ts';
import { runTrial, type TrialResult } from './trial.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What is mutated, and what has to notice. */
export interface Suite {
  readonly sources: readonly string[];
  /** Test files by what they are, in the order in which they are tried. */
  readonly tests: Readonly<Record<'unit' | 'story', readonly string[]>>;
  /** Seeds 1 to this one are tried last. */
  readonly seeds: number;
  readonly equivalent: readonly Equivalent[];
}

export interface Draw {
  /** How many mutants that compile. */
  readonly sample: number;
  readonly seed: number;
  /** Part of `file:line`. */
  readonly only: string;
}

export const CAUGHT = ['unit', 'story', 'seed', 'time limit', 'crash'] as const;

export interface Result extends Omit<Mutant, 'point' | 'start' | 'end' | 'text'> {
  /** What caught it; or why nothing has to; or that nothing did. */
  readonly outcome: (typeof CAUGHT)[number] | 'survived' | 'equivalent' | 'does not compile';
  /** The test and what it said, or the reason. */
  readonly by: string;
  /** How many test files and seeds reach it. */
  readonly files: number;
  readonly seeds: number;
  /** Processor time: what else the machine does is not in it. */
  readonly usedMs: number;
}

/** One thing that is run, and the probes that it meets. */
interface Runner {
  readonly usedMs: number;
  readonly points: ReadonlySet<number>;
}

/** What each test file and seed reaches, from one run of all without a mutant. */
export interface Reach {
  readonly files: ReadonlyMap<string, Runner>;
  readonly seeds: ReadonlyMap<string, Runner>;
  /** Met while files were loaded: whoever runs at all may depend on it. */
  readonly loaded: ReadonlySet<number>;
  readonly longestTestMs: number;
}

/** A test may take this many times what the longest takes without a mutant. */
const SLOWER = 5;
const LEAST_LIMIT_MS = 5_000;

/** Draws mutants and tries them one by one; `tell` hears of each. `known`: results of before, which are not tried again. */
export async function runCampaign(suite: Suite, draw: Draw, jobs: number, known: readonly Result[], tell: (result: Result) => void) {
  const sources = new Map(suite.sources.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
  const queue = drawn(
    [...sources].flatMap(([file, source]) => mutantsOf(file, source)),
    draw,
  );
  const before = new Map(known.map((result) => [keyOf(result), result]));
  const equivalent = new Map(suite.equivalent.map((entry) => [keyOf(entry), entry.reason]));
  let compiles: ReturnType<typeof createCompiler> | undefined;
  let reach: Promise<Reach> | undefined;
  const results: Result[] = [];
  let taken = 0;
  await Promise.all(Array.from({ length: jobs }, work));
  return results;

  async function work(): Promise<void> {
    while (taken < draw.sample) {
      const mutant = queue.shift();
      if (mutant === undefined) return;
      const result = withoutTrial(mutant);
      if (result?.outcome !== 'does not compile') taken++;
      if (result !== undefined) take(result);
      else {
        reach ??= reachOf(suite, jobs);
        take(await tryMutant(mutant, mutated(mutant), suite, await reach));
      }
    }
  }

  function mutated(mutant: Mutant): string {
    return applied(mutant, sources.get(mutant.file) ?? '');
  }

  function take(result: Result): void {
    results.push(result);
    if (!before.has(keyOf(result))) tell(result);
  }

  function withoutTrial(mutant: Mutant): Result | undefined {
    const reason = equivalent.get(keyOf(mutant));
    if (reason !== undefined) return resultOf(mutant, 'equivalent', reason);
    const result = before.get(keyOf(mutant));
    if (result !== undefined) return result;
    compiles ??= createCompiler(ROOT, suite.sources);
    return compiles(mutant.file, mutated(mutant)) ? undefined : resultOf(mutant, 'does not compile', 'the compiler');
  }
}

/** The order depends on the seed and on each mutant alone: a change of the sources changes the sample only where it changes them. */
function drawn(mutants: readonly Mutant[], { seed, only }: Draw): Mutant[] {
  return mutants
    .filter(({ file, line }) => `${file}:${line}`.includes(only))
    .map((mutant) => ({ mutant, place: hashOf(seed, keyOf(mutant)) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ mutant }) => mutant);
}

/** Runs everything without a mutant. Throws when a test fails: then nothing would be known of any mutant. */
export async function reachOf(suite: Suite, jobs: number): Promise<Reach> {
  const limitMs = 120_000;
  const probed = suite.sources;
  const [files, seeds] = [[...suite.tests.unit, ...suite.tests.story], upTo(suite.seeds)];
  const trials = [{ files, seeds: [], probed, limitMs }, ...(seeds.length > 0 ? [{ files: [], seeds, probed, limitMs }] : [])];
  const results: TrialResult[] = jobs > 1 ? await Promise.all(trials.map(runTrial)) : [];
  if (jobs <= 1) for (const trial of trials) results.push(await runTrial(trial));
  const ran = results.flatMap((result) => {
    if (result.outcome !== 'passed') throw new Error(`the tests fail without a mutant: ${sayOf(result)}`);
    return result.ran;
  });
  return {
    files: runnersOf(ran.filter(({ file }) => files.includes(file)).map((test) => ({ ...test, runner: test.file }))),
    seeds: runnersOf(ran.filter(({ file }) => !files.includes(file)).map((test) => ({ ...test, runner: test.name.replace(/^seed /, '') }))),
    loaded: new Set(ran.flatMap(({ loaded }) => loaded)),
    longestTestMs: Math.max(...ran.map(({ usedMs }) => usedMs)),
  };
}

function runnersOf(tests: readonly { readonly runner: string; readonly usedMs: number; readonly reached: readonly number[] }[]) {
  const runners = new Map<string, { usedMs: number; points: Set<number> }>();
  for (const { runner, usedMs, reached } of tests) {
    const known = runners.get(runner) ?? { usedMs: 0, points: new Set() };
    runners.set(runner, { usedMs: known.usedMs + usedMs, points: known.points.union(new Set(reached)) });
  }
  return runners;
}

async function tryMutant(mutant: Mutant, source: string, suite: Suite, reach: Reach): Promise<Result> {
  const point = mutant.point === undefined ? undefined : suite.sources.indexOf(mutant.file) * PROBES_APART + mutant.point;
  const meets = ({ points }: Runner) => (point === undefined || reach.loaded.has(point) ? points.size > 0 : points.has(point));
  const reaching = (runners: ReadonlyMap<string, Runner>) => new Map([...runners].filter(([, runner]) => meets(runner)));
  const [byFile, bySeed] = [reaching(reach.files), reaching(reach.seeds)];
  const quickFirst = (files: readonly string[]) =>
    files.filter((file) => byFile.has(file)).toSorted((a, b) => (byFile.get(a)?.usedMs ?? 0) - (byFile.get(b)?.usedMs ?? 0));
  const files = [...quickFirst(suite.tests.unit), ...quickFirst(suite.tests.story)];
  const seeds = [...bySeed.keys()].map(Number);
  if (files.length + seeds.length === 0) return resultOf(mutant, 'survived', 'no test reaches it');
  const limitMs = Math.max(LEAST_LIMIT_MS, reach.longestTestMs * SLOWER);
  const result = await runTrial({ files, seeds, changed: { file: mutant.file, source }, limitMs });
  const tried = { files: files.length, seeds: seeds.length, usedMs: Math.round(result.usedMs) };
  return { ...resultOf(mutant, outcomeOf(result, suite), sayOf(result)), ...tried };
}

function outcomeOf(result: TrialResult, { tests }: Suite): Result['outcome'] {
  switch (result.outcome) {
    case 'passed':
      return 'survived';
    case 'hung':
      return 'time limit';
    case 'died':
      return 'crash';
    case 'failed':
      return tests.unit.includes(result.file) ? 'unit' : tests.story.includes(result.file) ? 'story' : 'seed';
  }
}

function sayOf(result: TrialResult): string {
  switch (result.outcome) {
    case 'passed':
      return 'nothing';
    case 'hung':
      return `nothing ended after: ${result.name}`;
    case 'died':
      return result.message;
    case 'failed':
      return `${result.file}: ${result.name}: ${result.message.split('\n')[0]}`;
  }
}

function resultOf({ point, start, end, text, ...mutant }: Mutant, outcome: Result['outcome'], by: string): Result {
  return { ...mutant, outcome, by, files: 0, seeds: 0, usedMs: 0 };
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
