import { describe, expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings, Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { createPerformer } from '../../../lib/epoch/coordinator/perform.ts';
import type { Lease } from '../../../lib/epoch/lease/hold-lease.ts';
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
