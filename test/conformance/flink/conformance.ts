/** `npm run conformance:flink`: see USAGE. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { runCommand, wholeNumber } from '../../../local/command.ts';
import { PeerJvm } from '../jvm.ts';
import { linesOf, readKept, writeKept } from '../kept.ts';
import { asFlink, flinkCase } from './as-flink.ts';
import type { Case, FlinkOutput, FlinkStep, KeptCase } from './case.ts';
import { askedOfFlink, choices, flinkGave } from './choices.ts';
import { type Difference, differenceOf } from './compare.ts';
import { cases } from './draw.ts';
import { ours } from './ours.ts';

const USAGE = `npm run conformance:flink -- [--runs N] [--seed S]    draws N cases (default 2000) from seed S (default: a new one) and runs them through
                                                      Onceflow's operators and Flink's; a difference is shrunk and printed
npm run conformance:flink -- --keep FILE              adds the cases of a file, one on each line, to test/fixtures/flink.jsonl, and
                                                      writes down what Flink gives to all that are there`;

/** In test/fixtures. */
const FILE = 'flink.jsonl';

type FlinkJvm = PeerJvm<FlinkStep, FlinkOutput>;

const options = { runs: { type: 'string', default: '2000' }, seed: { type: 'string' }, keep: { type: 'string' } } as const;

await runCommand({ name: 'npm run conformance:flink', usage: USAGE, options }, async ({ runs, seed, keep: file }) => {
  const numRuns = wholeNumber('runs', runs, 1);
  const from = seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', seed, 0);
  const flink = new PeerJvm<FlinkStep, FlinkOutput>('Flink');
  try {
    if (file !== undefined) return await keep(flink, linesOf(file) as Case[]);
    const changed = [...(await changedChoices(flink)), ...(await changedCases(flink))];
    if (changed.length > 0) console.log(`Flink does otherwise than is written down in ${changed.length} cases. The first:\n${changed[0]}`);
    const isSame = await drawCases(flink, numRuns, from);
    return isSame && changed.length === 0 ? 0 : 1;
  } finally {
    await flink.stop();
  }
});

/** Answers whether all that was drawn is the same. */
async function drawCases(flink: FlinkJvm, numRuns: number, seed: number): Promise<boolean> {
  const startedMs = performance.now();
  const property = fc.asyncProperty(cases, async (asked) => (await compare(flink, asked)) === undefined);
  const drawn = await fc.check(property, { seed, numRuns });
  if (drawn.counterexample === null) {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    console.log(`${drawn.numRuns} cases of seed ${seed} in ${seconds} s: Onceflow gives what Flink gives`);
    return true;
  }
  const [asked] = drawn.counterexample;
  console.log(`case ${drawn.numRuns} of seed ${seed}, shrunk ${drawn.numShrinks} times:\n${JSON.stringify(asked)}`);
  console.log(report(await compare(flink, asked)));
  return false;
}

async function compare(flink: FlinkJvm, asked: Case): Promise<Difference | undefined> {
  return differenceOf(asked, await flink.ask(flinkCase(asFlink(asked))), await ours(asked));
}

function report(difference: Difference | undefined): string {
  if (difference === undefined) return 'it does not happen again';
  const { round, flink, ours } = difference;
  const of = (name: string, lines: readonly string[]) => `${name}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  return `round ${round}\n${of('Flink', flink)}${of('Onceflow', ours)}`;
}

/** Those at which this Flink does not what choices.ts says. */
async function changedChoices(flink: FlinkJvm): Promise<string[]> {
  const changed: string[] = [];
  for (const choice of choices) {
    const gave = flinkGave(choice, await flink.ask(flinkCase(askedOfFlink(choice))));
    if (!isDeepStrictEqual(gave, choice.flink)) changed.push(`"${choice.name}": Flink gives ${JSON.stringify(gave)}`);
  }
  return changed;
}

/** Those at which this Flink does not what the fixture says. */
async function changedCases(flink: FlinkJvm): Promise<string[]> {
  const changed: string[] = [];
  for (const { asked, answer } of readKept<KeptCase>(FILE)) {
    if (!isDeepStrictEqual(await flink.ask(flinkCase(asFlink(asked))), answer))
      changed.push(`Flink gives another answer to ${JSON.stringify(asked)}`);
  }
  return changed;
}

async function keep(flink: FlinkJvm, more: readonly Case[]): Promise<number> {
  const kept: KeptCase[] = [];
  for (const asked of [...readKept<KeptCase>(FILE).map(({ asked }) => asked), ...more])
    kept.push({ asked, answer: await flink.ask(flinkCase(asFlink(asked))) });
  writeKept(FILE, kept);
  console.log(`${kept.length} cases are kept`);
  return 0;
}
