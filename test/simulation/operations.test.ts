import { describe, expect, it } from 'vitest';
import { IDLE_TICK, type Job, operationsOfEpoch, operationsOfSecond } from '../../bench/cost/operations.ts';
import type { Call } from './kernel/faults.ts';
import { parallelismOf } from './parallelism.ts';
import { jobNamed, plain, story } from './scenarios/story.ts';
import type { WorldOptions } from './world-options.ts';

/** Counts the calls of a run, by api, from `fromMs` to `untilMs`. */
async function callsOf(change: Partial<WorldOptions>, fromMs: number, untilMs: number): Promise<(api: string) => number> {
  const counts = new Map<string, number>();
  const count = ({ api, atMs }: Call) => {
    if (atMs >= fromMs && atMs < untilMs) counts.set(api, (counts.get(api) ?? 0) + 1);
    return undefined;
  };
  await story([], { faults: count, ...change });
  return (api) => counts.get(api) ?? 0;
}

const SECONDS = 40;
const input = Array.from({ length: SECONDS }, (_, second) =>
  plain(second * 1_000 + 10, second % 2, ...Array.from({ length: 8 }, (_word, index) => `w${index} #${second * 8 + index}`)),
);
const job: Job = {
  recordsPerSecond: 8,
  recordBytes: 8,
  intervalMs: 1_000,
  parallelism: 2,
  inlineBlobBytes: 0,
  changedStateBytes: 100,
  stateBytes: 1_000,
};

describe('the operations that the cost is computed from', () => {
  it.each([1, 2])('are those of the engine, at parallelism %i', async (parallelism) => {
    const [fromMs, untilMs] = [10_000, 40_000];
    const wordCount = jobNamed('word-count');
    const calls = await callsOf(
      {
        job: wordCount,
        input,
        parallelism: () => parallelismOf(wordCount, { source: 1, operator: parallelism, sink: parallelism }),
        settings: { checkpointIntervalMs: 1_000, idlePollMaxMs: 1_000 },
        faultsUntilMs: untilMs,
      },
      fromMs,
      untilMs,
    );
    const epochs = calls('decide');
    expect(epochs).toBeGreaterThan(20);
    // One source subtask here: input of one second is in one partition.
    const expected = operationsOfEpoch({ ...job, parallelism });
    const invocations = ['invoke read', 'invoke process', 'invoke prepare', 'invoke commit'].map(calls);
    expect(sum(invocations) / epochs).toBeCloseTo(expected.invocations - (parallelism - 1), 0);
    // Less the exchange segments of the other source subtasks.
    const segments = parallelism * (parallelism - 1);
    expect(calls('put') / epochs).toBeGreaterThan((expected.puts - segments) * 0.9);
    expect(calls('put') / epochs).toBeLessThan((expected.puts - segments) * 1.15);
    expect(calls('get') / epochs).toBeGreaterThan((expected.gets - segments) * 0.9);
    expect(calls('get') / epochs).toBeLessThan((expected.gets - segments) * 1.15);

    const seconds = (untilMs - fromMs) / 1_000;
    const each = operationsOfSecond(job);
    expect((calls('readJob') + calls('listEpochs')) / seconds).toBeCloseTo(each.readUnits, 0);
    expect(calls('list') / seconds).toBeCloseTo(each.lists, 1);
    expect(calls('retireThrough') / seconds).toBeCloseTo(each.writeUnits, 1);
    expect(calls('renewLease')).toBe(0);
  });

  it('of an idle job are a lease, a look at the row, and a collection', async () => {
    const [fromMs, untilMs] = [10_000, 40_000];
    const calls = await callsOf(
      {
        input: [plain(0, 0, 'ant #0')],
        settings: { leaseMs: 30_000, recoveryTimeoutMs: 40_000, transactionTimeoutMs: 60_000 },
        faultsUntilMs: untilMs,
        ending: 'stop',
      },
      fromMs,
      untilMs,
    );
    const seconds = (untilMs - fromMs) / 1_000;
    const each = operationsOfSecond({ ...job, recordsPerSecond: 0 });
    expect(calls('renewLease') / seconds).toBeCloseTo(each.writeUnits, 1);
    expect((calls('readJob') + calls('listEpochs')) / seconds).toBeCloseTo(each.readUnits, 0);
    expect(calls('decide')).toBe(0);
  });

  it('of a tick that finds no input are few', async () => {
    const [fromMs, untilMs] = [9_000, 12_000];
    const calls = await callsOf(
      {
        input: [plain(0, 0, 'ant #0'), plain(60_000, 0, 'ant #1')],
        settings: { idleExitMs: 0 },
        watch: { how: 'revival', everyMs: 10_000, standby: 'none' },
        faultsUntilMs: 20_000,
      },
      fromMs,
      untilMs,
    );
    const writes = ['reviveGeneration', 'renewLease', 'releaseLease', 'recordCommitted', 'retireThrough', 'setFingerprint'];
    expect(calls('reviveGeneration')).toBe(1);
    expect(sum(writes.map(calls))).toBe(IDLE_TICK.writeUnits);
    expect(calls('readJob') + calls('readEpoch') + calls('widenPool')).toBeLessThanOrEqual(IDLE_TICK.readUnits);
    expect(calls('list')).toBe(0);
  });
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
