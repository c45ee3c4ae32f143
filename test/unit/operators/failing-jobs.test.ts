import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import failingAttempts from '../../../jobs/word-count-failing-attempts.ts';
import failingWords from '../../../jobs/word-count-failing-words.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { UserCodeError } from '../../../lib/records/errors.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from './runtimes.ts';

/** The jobs draw from Math.random; here it is the same sequence in every run. */
beforeEach(() => {
  let state = 1;
  vi.spyOn(Math, 'random').mockImplementation(() => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  });
});
afterEach(() => vi.restoreAllMocks());

/** Runs epochs of the lines, each as often as it takes, as stages do: what a failed attempt did to the state is dropped. */
async function run(job: JobDefinition, epochs: readonly (readonly string[])[]) {
  const context = stageContext({ partitions: 1 });
  const source = createSourceRuntime(compiled(job), 'read-lines', context);
  const operator = createOperatorRuntime(compiled(job), 'count-words', context, 0);
  const state = operator.states.get('count-words');
  let snapshot: Buffer[] = [];
  const failures: number[] = [];
  const written: (string | null)[] = [];
  for (const lines of epochs) {
    for (let failed = 0; ; failed++) {
      await setImmediate();
      try {
        source.begin();
        source.consume('flink_kafka', 0, recordSet(lines.map((value) => ({ value }))), { from: 0, to: lines.length, aborted: [] });
        operator.begin();
        operator.consume(throughBlob(partsTo(source.finish(), 'count-words')[0] ?? []));
        const output = operator.finish();
        snapshot = [Buffer.concat(state?.takeBase() ?? [])];
        written.push(...stagedValues(output, 'write-counts'));
        failures.push(failed);
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(UserCodeError);
        operator.dropState();
        state?.load(snapshot);
      }
    }
  }
  const failed = failures.reduce((sum, count) => sum + count, 0);
  return { written, failedShare: failed / (failed + epochs.length) };
}

test('when every word has one chance in five to throw, half the attempts at three words fail, and the counts are right', async () => {
  const { written, failedShare } = await run(
    failingWords,
    Array.from({ length: 100 }, () => ['hello world', 'hello']),
  );
  expect(written.slice(0, 3)).toEqual(['hello:::1', 'world:::1', 'hello:::2']);
  expect(written.slice(-3)).toEqual(['hello:::199', 'world:::100', 'hello:::200']);
  expect(failedShare).toBeGreaterThan(0.35);
  expect(failedShare).toBeLessThan(0.65);
});

test('an attempt in three throws, also at large epochs, and the counts are right', async () => {
  const lines = Array.from({ length: 300 }, () => 'a b a');
  const { written, failedShare } = await run(
    failingAttempts,
    Array.from({ length: 100 }, () => lines),
  );
  expect(written.length).toBe(100 * 900);
  expect(written.slice(-3)).toEqual(['a:::59999', 'b:::30000', 'a:::60000']);
  expect(failedShare).toBeGreaterThan(0.2);
  expect(failedShare).toBeLessThan(0.45);
});
