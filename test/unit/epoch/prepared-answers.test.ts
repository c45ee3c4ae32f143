import { expect, it } from 'vitest';
import { abortPrepared, runStage } from '../../../lib/epoch/attempt/ask-stages.ts';
import { newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import type { Held } from '../../../lib/epoch/lease/held.ts';
import type { Committable } from '../../../lib/protocol/committable.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type { SinkRequest } from '../../../lib/protocol/requests.ts';
import type { SinkCoordination } from '../../../lib/sinks/connector.ts';
import { countingPlan, STAGED } from '../../support/counting-plan.ts';

const ref = { at: 'inline', base64: 'AA==' } as const;
const own: Committable = { sink: 'write', connector: 'some', subtask: 0, epoch: 5, token: { any: 'thing' } };

/** The sink stage of an epoch with output, whose function answers a prepare so. What is asked is kept. */
async function sinkStage(connector: Partial<SinkCoordination>, committable: Committable | undefined = own) {
  const asked: SinkRequest[] = [];
  const checked: (readonly Committable[])[] = [];
  const prepared = {
    how: 'prepared',
    connector: 'some',
    prepareTerms: (target: object) => ({ of: target }),
    problemOf: async (_until: unknown, of: readonly Committable[]) => void checked.push(of),
    ...connector,
  } as unknown as SinkCoordination;
  const deps = {
    sinks: { forTarget: () => prepared, named: () => prepared },
    invoker: {
      invoke: async (_target: unknown, request: SinkRequest) => {
        asked.push(request);
        return request.ask === 'prepare' ? { outcome: 'prepared', committable } : { outcome: 'aborted' };
      },
    },
    clock: { elapsedMs: () => 0 },
    observe: () => {},
  } as unknown as CoordinatorDeps;
  const settings = {
    job: 'job',
    build: 'b',
    plan: countingPlan,
    epochTimeoutMs: 9,
    commitTimeoutMs: 9,
  } as unknown as JobSettings;
  const held = { deps, settings, tenure: { generation: 1, incarnation: 'i', sinkFacts: {}, pool: {} } } as unknown as Held<JobSettings>;
  const planned = newAttempt(
    { epoch: 5, decisionId: 'five', planned: { wallMs: 0, elapsedMs: 0 }, from: {}, ranges: {}, parallelism: {}, maxBytes: 1 },
    countingPlan.stages,
  );
  const done = { outcome: 'processed', snapshots: {}, edges: { [STAGED]: { parts: [ref], records: 1 } }, recordsIn: 1 } as const;
  const attempt = withDone(planned, 'count', { kind: 'operator', subtasks: [done] }, 1);
  const stage = countingPlan.stages.find(({ kind }) => kind === 'sink');
  if (stage === undefined) throw new Error('the plan has no sink');
  const before = { offsets: {}, state: {} };
  const result = await runStage(held, stage, { attempt, before }, new AbortController().signal);
  return { result, asked, checked, abort: (committables: readonly Committable[]) => abortPrepared(held, { ...attempt, committables }) };
}

it('what a sink prepares is asked for by its connector, and taken with its token as it is', async () => {
  const { result, asked, checked } = await sinkStage({});
  expect(asked).toMatchObject([{ ask: 'prepare', connector: 'some', terms: { of: { kind: 'kafka', topics: ['out'] } }, staged: [ref] }]);
  expect(result).toEqual({ outcome: 'done', work: { kind: 'sink', prepared: [own] } });
  expect(checked).toEqual([[own]]);
});

it.each([
  ['another connector', { connector: 'another' }],
  ['another sink', { sink: 'other' }],
  ['another subtask', { subtask: 1 }],
  ['another epoch', { epoch: 4 }],
])('a committable of %s is not taken for what was asked: the attempt fails, and it is never decided', async (_what, change) => {
  const { result } = await sinkStage({}, { ...own, ...change });
  expect(result).toMatchObject({ outcome: 'failed', why: { kind: 'transient' }, prepared: [] });
  expect(JSON.stringify(result)).toMatch(/was asked to prepare sink write, connector some, subtask 0, epoch 5, and answered with sink /);
});

it('a token that the connector does not take fails the attempt, and what was prepared is known, to be ended', async () => {
  const refuse = { problemOf: () => Promise.reject(new MalformedError('it holds nothing')) };
  const { result } = await sinkStage(refuse as Partial<SinkCoordination>);
  expect(result).toEqual({
    outcome: 'failed',
    why: { outcome: 'failed', kind: 'transient', message: 'it holds nothing' },
    prepared: [own],
  });
});

it('a sink that prepares nothing is not asked: what is to be sent is known', async () => {
  const { result, asked } = await sinkStage({ how: 'delivered' });
  expect(asked).toEqual([]);
  expect(result).toEqual({ outcome: 'done', work: { kind: 'sink', prepared: [{ ...own, token: {} }] } });
});

it('what was prepared is ended with its attempt, and where nothing was there is nothing to end', async () => {
  const prepared = await sinkStage({});
  prepared.abort([own]);
  expect(prepared.asked.at(-1)).toMatchObject({ ask: 'abort', connector: 'some', committables: [own] });
  const delivered = await sinkStage({ how: 'delivered' });
  delivered.abort([own]);
  expect(delivered.asked).toEqual([]);
});
