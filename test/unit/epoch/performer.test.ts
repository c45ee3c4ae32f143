import { describe, expect, it } from 'vitest';
import { type CoordinatorDeps, type JobSettings, SupersededError, type Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { createPerformer } from '../../../lib/epoch/coordinator/perform.ts';
import type { Lease } from '../../../lib/epoch/lease/hold-lease.ts';
import type { Effect } from '../../../lib/epoch/loop/events.ts';
import type { ProgressWatch } from '../../../lib/epoch/progress/progress-watch.ts';
import { countingPlan } from '../../support/counting-plan.ts';
import { only, play, upTo } from './loop/play.ts';

/** The source stage of epoch 5, decision d1, which answers only when its call is given up. */
function running() {
  const signals: (AbortSignal | undefined)[] = [];
  const deps = {
    invoker: {
      invoke: (_target: unknown, _payload: unknown, { signal }: { readonly signal?: AbortSignal }) => {
        signals.push(signal);
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('given up'))));
      },
    },
    clock: { elapsedMs: () => 0, now: () => 0, sleep: async () => {} },
  } as unknown as CoordinatorDeps;
  const settings = { job: 'job', build: 'b', plan: countingPlan, epochTimeoutMs: 9 } as unknown as JobSettings;
  const tenure: Tenure = { generation: 1, incarnation: 'i', sinkFacts: {}, pool: {} };
  const tools = { lease: {} as Lease, progress: {} as ProgressWatch };
  const performer = createPerformer(deps, settings, tenure, tools);
  const run = () => performer.start(only(upTo(play(), 'planned'), 'run-stage'), tenure);
  return { performer, tenure, signals, run };
}

describe('a call of an attempt', () => {
  const givenUp = { of: 'stage', stage: 'lines', result: { outcome: 'failed', why: { kind: 'transient', message: 'given up' } } };

  it('is given up with it, and another of the same decision is not', async () => {
    const { performer, tenure, signals, run } = running();
    const first = run();
    performer.start({ do: 'give-up', decisionId: 'another' }, tenure);
    expect(signals[0]?.aborted).toBe(false);
    performer.start({ do: 'give-up', decisionId: 'd1' }, tenure);
    expect(signals[0]?.aborted).toBe(true);
    expect(await first).toMatchObject(givenUp);
    run();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
  });

  it('is given up when the loop is over', async () => {
    const { performer, signals, run } = running();
    const call = run();
    performer.end();
    expect(signals[0]?.aborted).toBe(true);
    expect(await call).toMatchObject(givenUp);
  });
});

describe('when another coordinator holds the job', () => {
  /** What is done is noted, and every write to the job's row finds that. */
  function superseded() {
    const done: string[] = [];
    const write = (what: string) => async () => {
      await Promise.resolve();
      done.push(what);
      return 'superseded';
    };
    const settle = async () => {
      done.push('settle');
      return { outcome: 'settled', ends: 0 };
    };
    const connector = { how: 'prepared', connector: 'some', poolOf: 'some', placesOf: () => ['out'], settle, watch: () => ({}) };
    const deps = {
      sinks: { named: () => connector, forTarget: () => connector },
      epochs: { readJob: async () => ({ generation: 2, incarnation: 'i' }), recordCommitted: write('record'), widenPool: write('widen') },
      clock: { elapsedMs: () => 0, now: () => 0, sleep: async () => {} },
      random: { id: () => '', fraction: () => 0 },
      observe: () => {},
    } as unknown as CoordinatorDeps;
    const settings = { job: 'job', build: 'b', plan: countingPlan, epochTimeoutMs: 9 } as unknown as JobSettings;
    const tenure: Tenure = { generation: 1, incarnation: 'i', sinkFacts: {}, pool: { some: { write: { subtasks: 1, places: ['out'] } } } };
    const performer = createPerformer(deps, settings, tenure, { lease: {} as Lease, progress: {} as ProgressWatch });
    return { done, start: (effect: Effect) => performer.start(effect, tenure) };
  }

  it.each([
    [undefined, []],
    [4, ['record']],
  ])('nothing is settled: its transactions would be aborted (with epoch %s to be recorded)', async (record, expected) => {
    const { done, start } = superseded();
    await expect(start({ do: 'settle', record })).rejects.toThrow(SupersededError);
    expect(done).toEqual(expected);
  });

  it('no sink takes more ids into use than its row says', async () => {
    const { done, start } = superseded();
    await expect(start({ do: 'chore', chore: 'widen-pool', parallelism: { write: 3 } })).rejects.toThrow(SupersededError);
    expect(done).toEqual(['widen']);
  });
});
