import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Result, runCampaign, type Suite } from '../../mutation/campaign.ts';
import { applied, mutantsOf } from '../../mutation/mutants.ts';
import { runTrial, type TrialResult } from '../../mutation/trial.ts';

const WAVEFRONT = 'lib/epoch/attempt/wavefront.ts';
const FEE = 'test/mutation/sandbox/fee.ts';
const CHECK = 'test/mutation/sandbox/fee.check.ts';

/** Tries the one mutant of the wavefront that makes this line. */
async function tryIt(after: string, files: readonly string[], seeds: readonly number[] = []): Promise<TrialResult> {
  const source = readFileSync(WAVEFRONT, 'utf8');
  const mutants = mutantsOf(WAVEFRONT, source).filter((mutant) => mutant.after === after);
  const [mutant] = mutants;
  if (mutant === undefined || mutants.length > 1) throw new Error(`${mutants.length} mutants of ${WAVEFRONT} make this line: ${after}`);
  return runTrial({ files, seeds, changed: { file: WAVEFRONT, source: applied(mutant, source) }, limitMs: 20_000 });
}

describe.concurrent('a mutant is caught', { timeout: 120_000 }, () => {
  it('by a unit test: an epoch is decided before all its stages are done', async () => {
    const file = 'test/unit/epoch/wavefront.test.ts';
    const result = await tryIt("if (previous === undefined) steps.push({ do: 'decide', epoch });", [file]);
    expect(result).toMatchObject({ outcome: 'failed', file });
  });

  it('by a story: sinks of two epochs run at a time', async () => {
    const file = 'test/simulation/scenarios/figures.test.ts';
    const overlapping = "return false ? previous === undefined : previous === undefined || previous.stages.get(stage.id) === 'done';";
    expect(await tryIt(overlapping, [file])).toMatchObject({ outcome: 'failed', file });
  });

  it('by a seed: an epoch is never decided', async () => {
    const result = await tryIt("if (false) steps.push({ do: 'decide', epoch });", [], [1, 2]);
    expect(result).toMatchObject({ outcome: 'failed', name: 'seed 1', message: expect.stringMatching(/^I\d: /) });
  });

  it('by the time limit: a loop without end', async () => {
    const source = readFileSync(FEE, 'utf8').replace('return Math.max', 'while (true) {}\n  return Math.max');
    const result = await runTrial({ files: [CHECK], seeds: [], changed: { file: FEE, source }, limitMs: 3_000 });
    expect(result.outcome).toBe('hung');
  });
});

it.concurrent('what no test notices survives; what does not compile, or is known to be equivalent, is not tried', {
  timeout: 120_000,
}, async () => {
  const known = { file: FEE, within: 'nobodyAsks', before: 'return true;', after: 'return false;' };
  const suite: Suite = { sources: [FEE], tests: { unit: [CHECK], story: [] }, seeds: 0, equivalent: [] };
  const everything = { sample: 1_000, seed: 1, only: '' };
  const told: Result[] = [];
  const results = await runCampaign(suite, everything, 2, [], (result) => told.push(result));
  expect(told).toEqual(results);
  expect(results.map(({ line, outcome, after, files, by }) => `${line}: ${outcome} ${after} (${files}) ${by}`).toSorted()).toEqual([
    expect.stringMatching(/^2: does not compile const FEES.* = \{ \};/),
    "2: survived const FEES: Record<'least', number> = { least: 0 }; (1) nothing",
    expect.stringMatching(
      /^5: unit return Math.min\(cents, FEES.least\); \(1\) test\/mutation\/sandbox\/fee.check.ts: .*expected 500 to be 700/,
    ),
    '9: survived return false; (0) no test reaches it',
  ]);

  const again = await runCampaign({ ...suite, equivalent: [{ ...known, reason: 'nobody asks' }] }, everything, 2, results, (result) => {
    throw new Error(`tried again: ${result.after}`);
  });
  expect(again.map(({ outcome }) => outcome).toSorted()).toEqual(['does not compile', 'equivalent', 'survived', 'unit']);
});
