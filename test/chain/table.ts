import type { ChainRun } from './run-chain.ts';
import { type JumpBack, jumpsBack } from './watch.ts';

const SHOWN = 3;

/** Every row is where the job writes to once, and nowhere did a reader see less than before. */
export function isExact({ differences, samples }: ChainRun): boolean {
  return Object.values(differences).every((rows) => rows.length === 0) && jumpsBack(samples, 'ours').length === 0;
}

/** What came of a run, for people. */
export function chainTable(run: ChainRun): string {
  const { orders, differences, plainDifferences, samples, killedAtMs } = run;
  const rows = (of: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(of).map(([place, wrong]) => `    ${place.padEnd(16)} ${wrongText(wrong)}`);
  return [
    `${orders} orders; everything was killed ${killedAtMs.length} times, a reader looked ${samples.length} times`,
    '  the job: rows that are wrong in the end',
    ...rows(differences),
    `    a reader saw     ${jumpText(jumpsBack(samples, 'ours'))}`,
    '  the plain way',
    ...rows(plainDifferences),
    `    a reader saw     ${jumpText(jumpsBack(samples, 'plain'))}`,
    isExact(run) ? 'EXACT: of the job every row is in the table, and in the files, once, and no result ever went back' : 'NOT EXACT',
  ].join('\n');
}

function wrongText(wrong: readonly string[]): string {
  if (wrong.length === 0) return 'none';
  return `${wrong.length}: ${wrong.slice(0, SHOWN).join('; ')}${wrong.length > SHOWN ? '; …' : ''}`;
}

function jumpText(jumps: readonly JumpBack[]): string {
  if (jumps.length === 0) return 'no result go back';
  const each = jumps.map(({ fromMs, toMs = fromMs, orders }) => `${orders} orders for ${((toMs - fromMs) / 1_000).toFixed(1)} s`);
  return `results go back ${jumps.length} times: ${each.join(', ')}`;
}
