import { expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../../host/system.ts';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { runEpochs } from '../../../lib/epoch/coordinator/epoch-loop.ts';
import type { Lease } from '../../../lib/epoch/lease/hold-lease.ts';
import type { ProgressWatch } from '../../../lib/epoch/progress/progress-watch.ts';
import { firstScale } from '../../../lib/epoch/scale/scale.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { countingPlan } from '../../support/counting-plan.ts';
import { parent } from './loop/play.ts';

/** The loop of a job whose brokers never answer, or answer so. */
function run(ending: AbortSignal, { clock = systemClock, answer = () => new Promise<never>(() => {}) } = {}) {
  const deps = {
    clock,
    random: systemRandom,
    kafka: new Proxy({}, { get: () => answer }),
    epochs: { readJob: async () => ({ generation: 1, incarnation: 'i', desired: 'running' }) },
    observe: () => {},
  } as unknown as CoordinatorDeps;
  const settings = {
    ...{ job: 'job', build: 'b', plan: countingPlan, parallelism: { lines: 1, count: 1, write: 1 }, maxParallelism: 128 },
    ...{
      checkpointIntervalMs: 100,
      epochTimeoutMs: 1_000,
      maxConcurrentEpochs: 1,
      maxEpochBytes: 1_000,
      minPauseMs: 0,
      idlePollMaxMs: 100,
    },
    ...{
      restart: { kind: 'none' },
      refusalTimeoutMs: 1_000,
      tolerableFailures: 0,
      poisonAttempts: 1,
      startKind: 'explicit',
      leaseMs: 60_000,
    },
  } as unknown as JobSettings;
  const tenure = { generation: 1, incarnation: 'i', sinkFacts: {}, pool: {} };
  const lease = { lost: new AbortController().signal, says: () => {}, hasNews: () => {} } as unknown as Lease;
  const progress = {
    keep: () => {},
    begin: () => {},
    moved: () => {},
    dueAtMs: () => Number.POSITIVE_INFINITY,
  } as unknown as ProgressWatch;
  const scale = firstScale({ plan: countingPlan, parallelism: {} }, parent, {});
  return runEpochs(deps, settings, { tenure, scale, parent, recordedCommitted: 4 }, { lease, progress }, ending);
}

it('a loop that is told to end ends, also when it was told before it began', async () => {
  const ending = new AbortController();
  const told = run(ending.signal);
  ending.abort();
  expect(await told).toBe('ended');
  expect(await run(AbortSignal.abort())).toBe('ended');
});

it('a loop that has ended leaves nothing behind that waits for an answer', async () => {
  let [asked, waiting] = [0, 0];
  const sleep = async (ms: number, signal?: AbortSignal) => {
    waiting++;
    await systemClock.sleep(ms, signal);
    waiting--;
  };
  const ending = new AbortController();
  const answer = async () => {
    if (++asked === 2) ending.abort();
    throw new KafkaProblem('NO_ANSWER', 'no broker answers', true);
  };
  expect(await run(ending.signal, { clock: { ...systemClock, sleep }, answer })).toBe('ended');
  await new Promise((resolve) => setImmediate(resolve));
  expect(waiting).toBe(0);
});
