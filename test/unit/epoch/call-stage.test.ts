import { expect, it } from 'vitest';
import { callStage } from '../../../lib/epoch/attempt/call-stage.ts';
import type { CoordinatorDeps, Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { type FunctionInvoker, InvokeError } from '../../../lib/ports/function-invoker.ts';
import { countingPlan } from '../../support/counting-plan.ts';

type Invoked = Parameters<FunctionInvoker['invoke']>;

/** Asks a sink's function to abort what epoch 5 has prepared; `answer` is what is invoked. */
async function call(stage: string, answer: () => Promise<unknown>, signal?: AbortSignal) {
  const invoked: Invoked[] = [];
  const invoker: FunctionInvoker = {
    invoke(...call) {
      invoked.push(call);
      return answer();
    },
  };
  const deps = { invoker } as Partial<CoordinatorDeps> as CoordinatorDeps;
  const settings = { job: 'job', build: 'b', plan: countingPlan };
  const tenure: Tenure = { generation: 1, incarnation: 'i', sinkFacts: { write: { partitions: 3 } }, pool: {} };
  const ask = { ask: 'abort', connector: 'some', committables: [] } as const;
  const of = { epoch: 5, decisionId: 'five', parallelism: { write: 2 } };
  const answered = await callStage<'abort'>({ deps, settings, tenure }, { of, role: 'sink', stage, subtask: 1, ask, timeoutMs: 9 }, signal);
  return { answered, invoked };
}

it('a stage is asked with what every request says, and its answer is taken', async () => {
  const { answered, invoked } = await call('write', async () => ({ outcome: 'aborted' }));
  expect(answered).toEqual({ outcome: 'aborted' });
  expect(invoked).toEqual([
    [
      { role: 'sink', stage: 'write', subtask: 1 },
      expect.objectContaining({
        ...{ ask: 'abort', connector: 'some', committables: [], build: 'b', job: 'job', incarnation: 'i', epoch: 5, decisionId: 'five' },
        ...{ stage: 'write', subtask: 1, timeoutMs: 9, parallelism: { write: 2 }, sinkFacts: { write: { partitions: 3 } } },
      }),
      { timeoutMs: 9 },
    ],
  ]);
});

it('a call can be given up', async () => {
  const { signal } = new AbortController();
  const { invoked } = await call('write', async () => ({ outcome: 'aborted' }), signal);
  expect(invoked[0]?.[2].signal).toBe(signal);
});

it('what a sink has prepared that is gone from the job is ended by the function of another, under its name', async () => {
  const { invoked } = await call('gone', async () => ({ outcome: 'aborted' }));
  expect(invoked[0]).toMatchObject([{ role: 'sink', stage: 'write' }, { stage: 'gone' }, {}]);
});

const target = { role: 'sink', stage: 'write', subtask: 1 } as const;

it.each<[string, () => Promise<unknown>, string, RegExp]>([
  ['an answer that is none', async () => ({ outcome: 'odd' }), 'transient', /^stage write gave an answer that is none: /],
  ['no answer', () => Promise.reject(new InvokeError(target, 'it crashed')), 'transient', /gave no answer: it crashed$/],
  ['a request that is too large', () => Promise.reject(new InvokeError(target, '7 MB', { fatal: true })), 'fatal', /gave no answer: 7 MB$/],
  ['what is thrown and is no error', () => Promise.reject('a text'), 'transient', /^a text$/],
])('%s is a failure', async (_what, answer, kind, message) => {
  expect((await call('write', answer)).answered).toEqual({ outcome: 'failed', kind, message: expect.stringMatching(message) });
});
