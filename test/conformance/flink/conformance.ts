/** `npm run conformance:flink`: see USAGE. */
import fc from 'fast-check';
import { runCommand, wholeNumber } from '../../../local/command.ts';
import { asFlink } from './as-flink.ts';
import type { Case } from './case.ts';
import { type Difference, differenceOf } from './compare.ts';
import { cases } from './draw.ts';
import { FlinkJvm } from './jvm.ts';
import { ours } from './ours.ts';

const USAGE = `npm run conformance:flink -- [--runs N] [--seed S]    draws N cases (default 2000) from seed S (default: a new one) and runs them through
                                                      Onceflow's operators and Flink's; a difference is shrunk and printed`;

const options = { runs: { type: 'string', default: '2000' }, seed: { type: 'string' } } as const;

await runCommand({ name: 'npm run conformance:flink', usage: USAGE, options }, async (given) => {
  const numRuns = wholeNumber('runs', given.runs, 1);
  const seed = given.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', given.seed, 0);
  const flink = new FlinkJvm();
  try {
    const startedMs = performance.now();
    const compared = await fc.check(
      fc.asyncProperty(cases, async (asked) => (await compare(flink, asked)) === undefined),
      { seed, numRuns },
    );
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    if (compared.counterexample === null) {
      console.log(`${compared.numRuns} cases of seed ${seed} in ${seconds} s: Onceflow gives what Flink gives`);
      return 0;
    }
    const [asked] = compared.counterexample;
    console.log(`case ${compared.numRuns} of seed ${seed}, shrunk ${compared.numShrinks} times:\n${JSON.stringify(asked)}`);
    console.log(report(await compare(flink, asked)));
    return 1;
  } finally {
    await flink.stop();
  }
});

async function compare(flink: FlinkJvm, asked: Case): Promise<Difference | undefined> {
  return differenceOf(asked, await flink.ask(asFlink(asked)), ours(asked));
}

function report(difference: Difference | undefined): string {
  if (difference === undefined) return 'it does not happen again';
  const { round, flink, ours } = difference;
  const of = (name: string, lines: readonly string[]) => `${name}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  return `${round === undefined ? 'late values' : `round ${round}`}\n${of('Flink', flink)}${of('Onceflow', ours)}`;
}
