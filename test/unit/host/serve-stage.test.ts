import { describe, expect, it } from 'vitest';
import type { openStageHost } from '../../../host/process.ts';
import { serveStage } from '../../../host/serve-stage.ts';
import type { SendAnswer } from '../../../lib/protocol/answers.ts';
import type { SendSinkRequest } from '../../../lib/protocol/requests.ts';
import { writtenLines } from '../../support/written-lines.ts';

type Tools = Awaited<ReturnType<typeof openStageHost>>;

let elapsedMs = 0;
const tools = {
  config: { logLevel: 'info' },
  job: { name: 'word-count' },
  build: 'b',
  clock: { elapsedMs: () => elapsedMs },
} as unknown as Tools;
type Context = NonNullable<Parameters<ReturnType<typeof serveStage>>[1]>;

const context = { functionName: 'wc-sink', awsRequestId: 'request-1' } as Context;
const request: SendSinkRequest = {
  ask: 'send',
  build: 'b',
  job: 'word-count',
  incarnation: 'i',
  epoch: 7,
  decisionId: 'seven',
  stage: 'write-counts',
  subtask: 2,
  timeoutMs: 10,
  parallelism: { 'write-counts': 3 },
  version: 2,
  sinkFacts: {},
  connector: 'write-ahead',
  committable: { sink: 'write-counts', connector: 'write-ahead', subtask: 2, epoch: 7, token: {} },
  permit: { epoch: 7, decisionId: 'seven', generation: 4, decided: true } as unknown as SendSinkRequest['permit'],
  staged: [],
};

/** @param frozenMs how long it stands still between the request and its work */
function handlerOf(answer: SendAnswer, frozenMs = 0) {
  return serveStage<SendSinkRequest, SendAnswer, Tools>(
    ['send'],
    async () => ({ ...tools, clock: { ...tools.clock, elapsedMs: () => elapsedMs + frozenMs } }),
    async () => answer,
    tools.clock,
  );
}

describe('the time for a request', () => {
  it('runs from when it came, by the clock of the function alone', async () => {
    elapsedMs = 5_000;
    expect(await handlerOf({ outcome: 'sent' }, 8)(request)).toEqual({ outcome: 'sent' });
  });

  it('is over a little earlier, so that there is some to answer, and a function that stood still until then does nothing', async () => {
    const answer = await handlerOf({ outcome: 'sent' }, 9)(request);
    expect(answer).toMatchObject({
      outcome: 'failed',
      kind: 'transient',
      message: expect.stringContaining('the 10 ms for epoch 7 were as good as over'),
    });
  });
});

const failed: SendAnswer = { outcome: 'failed', kind: 'transient', message: 'the broker is gone', stack: 'Error: at sender' };

describe('a stage that fails on Lambda', () => {
  it('logs why, of which job, epoch, attempt, generation and subtask, and answers the same', async () => {
    const [line, ...others] = await writtenLines(async () => expect(await handlerOf(failed)(request, context)).toEqual(failed));
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      level: 'WARN',
      message: 'the broker is gone',
      job: 'word-count',
      epoch: 7,
      attempt: 'seven',
      generation: 4,
      stage: 'write-counts',
      subtask: 2,
      kind: 'transient',
      stack: 'Error: at sender',
      function_request_id: 'request-1',
    });
  });

  it('logs nothing when it succeeds, nor as a local process', async () => {
    const lines = await writtenLines(async () => {
      await handlerOf({ outcome: 'sent' })(request, context);
      await handlerOf(failed)(request);
    });
    expect(lines).toEqual([]);
  });
});

describe('a payload that this build does not know', () => {
  const strange = (change: Record<string, unknown>) => handlerOf({ outcome: 'sent' })({ ...request, timeoutMs: 'soon', ...change });

  it('is stale work, when another build asks for it, and never a reason to stop the job', async () => {
    expect(await strange({ build: 'a', ask: 'read' })).toEqual({ outcome: 'stale', build: 'b' });
    expect(await strange({ build: 'a', ask: 'commit' })).toMatchObject({ outcome: 'failed', kind: 'transient' });
  });

  it('is fatal, when it is of this build or of nobody', async () => {
    expect(await strange({})).toMatchObject({ outcome: 'failed', kind: 'fatal' });
    expect(await handlerOf({ outcome: 'sent' })(7)).toMatchObject({ outcome: 'failed', kind: 'fatal' });
  });
});
