import { describe, expect, it } from 'vitest';
import { createLambdaClient } from '../../../lib/aws/clients.ts';
import { createLambdaInvoker } from '../../../lib/aws/lambda-invoker.ts';
import { type FunctionTarget, InvokeError } from '../../../lib/ports/function-invoker.ts';
import { connectionReset, type RequestHandler, type Scripted, scripted, textOf } from '../../support/http-handlers.ts';

const source: FunctionTarget = { role: 'source', stage: 'read-lines', subtask: 1 };
const operator: FunctionTarget = { role: 'operator', stage: 'count-words', subtask: 2 };

function invokerOn(requestHandler: RequestHandler, throttled: string[] = []) {
  const credentials = { accessKeyId: 'k', secretAccessKey: 's' };
  const client = createLambdaClient({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:4566', credentials, requestHandler });
  return createLambdaInvoker({ client, prefix: 'wc', throttled: (name) => throttled.push(name) });
}

/** Invokes the operator. */
async function invoke(answer: Scripted, payload: unknown = { epoch: 1 }, timeoutMs = 5_000) {
  const { requestHandler, requests } = scripted(answer);
  const throttled: string[] = [];
  const result = await invokerOn(requestHandler, throttled)
    .invoke(operator, payload, { timeoutMs })
    .catch((error: unknown) => error);
  return { result, requests, throttled };
}

const failedHandler = (errorType: string, errorMessage: string): Scripted => ({
  status: 200,
  headers: { 'x-amz-function-error': 'Unhandled' },
  body: { errorType, errorMessage, trace: ['at …'] },
});
const refusedCall = (status: number, type: string): Scripted => ({
  status,
  headers: { 'x-amzn-errortype': type },
  body: { message: `${type} it is` },
});

describe('invoking a function on Lambda', () => {
  it('sends the payload to the function of the target, synchronously, and gives back its answer', async () => {
    const { requestHandler, requests } = scripted({ status: 200, body: { outcome: 'done', epoch: 7 } });
    const invoker = invokerOn(requestHandler);
    expect(await invoker.invoke(operator, { epoch: 7 }, { timeoutMs: 1_000 })).toEqual({ outcome: 'done', epoch: 7 });
    await invoker.invoke(source, { epoch: 7 }, { timeoutMs: 1_000 });
    expect(requests.map(({ path }) => path)).toEqual([
      '/2015-03-31/functions/wc-operator-count-words-2/invocations',
      '/2015-03-31/functions/wc-source/invocations',
    ]);
    expect(requests[0]?.headers).toMatchObject({ 'x-amz-invocation-type': 'RequestResponse' });
    expect(requests.map(textOf)).toEqual(['{"epoch":7}', '{"epoch":7}']);
  });

  it("throws with the handler's own error type and message", async () => {
    const { result } = await invoke(failedHandler('TypeError', 'x is not iterable'));
    expect(result).toBeInstanceOf(InvokeError);
    expect(result).toMatchObject({
      message:
        'function operator (stage count-words, subtask 2) gave no answer: wc-operator-count-words-2 failed with TypeError: x is not iterable',
    });
  });

  it('says which option makes an answer smaller that was too large, and that no repetition does', async () => {
    const { result } = await invoke(failedHandler('Function.ResponseSizeTooLarge', 'Response payload size exceeded'));
    expect(result).toMatchObject({ message: expect.stringContaining('lower ONCEFLOW_INLINE_BLOB_BYTES'), fatal: true });
    expect((await invoke(failedHandler('Sandbox.Timedout', 'Task timed out'))).result).toMatchObject({ fatal: false });
  });

  it('tells of a function that is throttled, and of no other failure', async () => {
    const throttledBy = async (answer: Scripted) => (await invoke(answer)).throttled;
    expect(await throttledBy(refusedCall(429, 'TooManyRequestsException'))).toEqual(['wc-operator-count-words-2']);
    expect(await throttledBy(refusedCall(500, 'ServiceException'))).toEqual([]);
  });

  it.each<[string, Scripted, RegExp]>([
    ['throttled', refusedCall(429, 'TooManyRequestsException'), /raise its reserved concurrency/],
    ['missing', refusedCall(404, 'ResourceNotFoundException'), /deploy it: .*ONCEFLOW_PARALLELISM/],
    ['forbidden', refusedCall(403, 'AccessDeniedException'), /needs lambda:InvokeFunction/],
    ['failing on the side of the service', refusedCall(500, 'ServiceException'), /ServiceException it is/],
    ['cut off', connectionReset(), /socket hang up/],
  ])('that is %s is asked once and says what to do', async (_what, answer, reason) => {
    const { result, requests } = await invoke(answer);
    expect(result).toBeInstanceOf(InvokeError);
    expect(result).toMatchObject({ message: expect.stringMatching(reason), cause: expect.any(Error) });
    expect(requests).toHaveLength(1);
  });

  it('refuses for good a payload that Lambda would refuse, naming sizes and option', async () => {
    const limit = 6 * 1024 * 1024;
    const { result, requests } = await invoke({ status: 200, body: 'null' }, 'x'.repeat(limit - 1));
    expect(result).toBeInstanceOf(InvokeError);
    expect(result).toMatchObject({
      message: expect.stringContaining(
        `has ${limit + 1} bytes, 0 of them in 0 blobs that travel inside it, and Lambda takes ${limit}; lower ONCEFLOW_INLINE_BLOB_BYTES`,
      ),
      fatal: true,
    });
    expect(requests).toHaveLength(0);
    expect((await invoke({ status: 200, body: 'null' }, 'x'.repeat(limit - 2))).result).toBeNull();
  });

  it('says how much of a payload that is too large are blobs inside it', async () => {
    const inputs = [1, 2].map(() => ({ at: 'inline', base64: 'x'.repeat(4_000_000) }));
    const { result } = await invoke({ status: 200, body: 'null' }, { inputs });
    expect(result).toMatchObject({ message: expect.stringContaining('8000000 of them in 2 blobs that travel inside it') });
  });

  it('does not invoke when the time is over', async () => {
    const { result, requests } = await invoke({ status: 200, body: 'null' }, {}, -3);
    expect(result).toMatchObject({ name: 'InvokeError', message: expect.stringContaining('its time was over 3 ms before') });
    expect(requests).toHaveLength(0);
  });

  it('gives up when the time is over', async () => {
    const result = await invokerOn(silent())
      .invoke(operator, {}, { timeoutMs: 20 })
      .catch((error: unknown) => error);
    expect(result).toMatchObject({
      name: 'InvokeError',
      message: expect.stringContaining('was still running 20 ms after it was invoked, when its time was over'),
    });
  });

  it('gives up when it is told to', async () => {
    const stop = new AbortController();
    const invoked = invokerOn(silent()).invoke(operator, {}, { timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    await expect(invoked).rejects.toBeInstanceOf(InvokeError);
  });
});

/** Never answers, and lets go when it is aborted, as the SDK's own handler does. */
function silent(): RequestHandler {
  const { requestHandler } = scripted({ status: 200 });
  const handle: RequestHandler['handle'] = (_request, options = {}) =>
    new Promise((_resolve, reject) => {
      const { abortSignal } = options as { readonly abortSignal?: AbortSignal };
      const abort = () => reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
      if (abortSignal?.aborted) abort();
      abortSignal?.addEventListener('abort', abort);
    });
  return { ...requestHandler, handle };
}
