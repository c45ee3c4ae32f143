import type { Agent } from 'node:http';
import type { Clock } from '../../lib/ports/clock.ts';

// Not an import: see child.ts.
const http = process.getBuiltinModule('node:http');

/** A function's process may be starting again after a crash: its socket is tried this often until its time is over. */
const CONNECT_PAUSE_MS = 15;
const MOST_TIMER_MS = 2 ** 31 - 1;

/** Where a function listens on this machine. */
export interface FunctionSocket {
  readonly socketPath: string;
  /** Of the request. @default / */
  readonly path?: string;
}

/** `failed`: the function threw; `lost`: nobody knows what it did. */
export type SocketAnswer =
  | { readonly outcome: 'answered'; readonly text: string }
  | { readonly outcome: 'failed' | 'lost'; readonly reason: string };

export interface SocketCall {
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Calls functions that are child processes of this machine, over HTTP on Unix sockets. */
export function createSocketCalls(clock: Clock): { call(to: FunctionSocket, what: SocketCall): Promise<SocketAnswer>; close(): void } {
  const agent = new http.Agent({ keepAlive: true });
  return {
    async call(to, { body, timeoutMs, signal }) {
      const deadlineMs = clock.elapsedMs() + timeoutMs;
      for (;;) {
        const answer = await post(agent, to, { body, timeoutMs: deadlineMs - clock.elapsedMs(), signal });
        if (answer.outcome !== 'not-connected') return answer;
        // Nothing listens yet, so nothing was done: the one failure that may be repeated here.
        if (signal?.aborted === true || clock.elapsedMs() + CONNECT_PAUSE_MS >= deadlineMs)
          return { outcome: 'lost', reason: answer.reason };
        await clock.sleep(CONNECT_PAUSE_MS, signal);
      }
    },
    close: () => agent.destroy(),
  };
}

type Posted = SocketAnswer | { readonly outcome: 'not-connected'; readonly reason: string };

function post(agent: Agent, { socketPath, path = '/' }: FunctionSocket, { body, timeoutMs, signal }: SocketCall): Promise<Posted> {
  return new Promise((resolve) => {
    if (timeoutMs <= 0) return resolve({ outcome: 'lost', reason: 'its time was over' });
    const headers = { 'content-length': body.length };
    const request = http.request({ agent, socketPath, path, method: 'POST', headers, ...(signal === undefined ? {} : { signal }) });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), Math.min(timeoutMs, MOST_TIMER_MS));
    const fail = (error: NodeJS.ErrnoException) => {
      const isConnected = error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED';
      resolve({ outcome: isConnected ? 'lost' : 'not-connected', reason: error.message });
    };
    request.on('error', fail);
    request.on('close', () => clearTimeout(timer));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve({ outcome: 'answered', text });
        else resolve({ outcome: 'failed', reason: text });
      });
    });
    request.end(body);
  });
}
