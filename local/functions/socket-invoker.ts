import type { Agent } from 'node:http';
import type { Clock } from '../../lib/ports/clock.ts';
import { type FunctionInvoker, InvokeError } from '../../lib/ports/function-invoker.ts';
import { socketPath } from './processes.ts';

// Not an import: see host.ts.
const http = process.getBuiltinModule('node:http');

/** A function's process may be starting again after a crash: its socket is tried this often until its time is over. */
const CONNECT_PAUSE_MS = 15;

/** Calls functions that are child processes of one machine, over HTTP on Unix sockets. */
export function createSocketInvoker(dir: string, clock: Clock): FunctionInvoker {
  const agent = new http.Agent({ keepAlive: true });
  return {
    async invoke(target, payload, { timeoutMs, signal }) {
      const deadlineMs = clock.elapsedMs() + timeoutMs;
      const body = Buffer.from(JSON.stringify(payload));
      for (;;) {
        const answer = await post(agent, socketPath(dir, target), body, deadlineMs - clock.elapsedMs(), signal);
        if ('value' in answer) return answer.value;
        // Nothing listens yet, so nothing was done: the one failure that may be repeated here.
        if (!answer.notConnected || signal?.aborted === true || clock.elapsedMs() + CONNECT_PAUSE_MS >= deadlineMs)
          throw new InvokeError(target, answer.reason);
        await clock.sleep(CONNECT_PAUSE_MS, signal);
      }
    },
  };
}

type Posted = { readonly value: unknown } | { readonly notConnected: boolean; readonly reason: string };

function post(agent: Agent, path: string, body: Buffer, timeoutMs: number, signal: AbortSignal | undefined): Promise<Posted> {
  return new Promise((resolve) => {
    if (timeoutMs <= 0) return resolve({ notConnected: false, reason: 'its time was over' });
    const request = http.request({
      agent,
      socketPath: path,
      method: 'POST',
      headers: { 'content-length': body.length },
      ...(signal === undefined ? {} : { signal }),
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), Math.min(timeoutMs, 2 ** 31 - 1));
    const fail = (error: NodeJS.ErrnoException) => {
      const notConnected = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      resolve({ notConnected, reason: error.message });
    };
    request.on('error', fail);
    request.on('close', () => clearTimeout(timer));
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
