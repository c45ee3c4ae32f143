import { Agent, request as httpRequest } from 'node:http';
import type { Clock } from '../../lib/ports/clock.ts';
import { type FunctionInvoker, type FunctionTarget, InvokeError } from '../../lib/ports/function-invoker.ts';
import { socketPath } from './processes.ts';

/** A function's process may be starting again after a crash: its socket is tried this often until the deadline. */
const CONNECT_PAUSE_MS = 15;

/** Calls functions that are child processes of one machine, over HTTP on Unix sockets. */
export function createSocketInvoker(dir: string, clock: Clock): FunctionInvoker {
  const agent = new Agent({ keepAlive: true });
  return {
    async invoke(target, payload, { deadlineMs, signal }) {
      const body = Buffer.from(JSON.stringify(payload));
      for (;;) {
        const answer = await post(agent, socketPath(dir, target), body, deadlineMs - clock.now(), signal);
        if ('value' in answer) return answer.value;
        // Nothing listens yet, so nothing was done: the one failure that may be repeated here.
        if (!answer.notConnected || signal?.aborted === true || clock.now() + CONNECT_PAUSE_MS >= deadlineMs)
          throw failed(target, answer.reason);
        await clock.sleep(CONNECT_PAUSE_MS, signal);
      }
    },
  };
}

function failed(target: FunctionTarget, reason: string): InvokeError {
  return new InvokeError(target, reason);
}

type Posted = { readonly value: unknown } | { readonly notConnected: boolean; readonly reason: string };

function post(agent: Agent, path: string, body: Buffer, timeoutMs: number, signal: AbortSignal | undefined): Promise<Posted> {
  return new Promise((resolve) => {
    if (timeoutMs <= 0) return resolve({ notConnected: false, reason: 'the deadline had passed' });
    const request = httpRequest({
      agent,
      socketPath: path,
      method: 'POST',
      headers: { 'content-length': body.length },
      signal: signalOf(timeoutMs, signal),
    });
    const fail = (error: NodeJS.ErrnoException) => {
      const notConnected = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      resolve({ notConnected, reason: error.name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : error.message });
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve({ value: JSON.parse(text) });
        else resolve({ notConnected: false, reason: text });
      });
    });
    request.end(body);
  });
}

function signalOf(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1));
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}
