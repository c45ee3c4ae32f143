import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { WorkerUrl } from '../config/worker-url.ts';
import { reasonOf } from '../ports/reason.ts';
import { authorizationOf } from './token.ts';
import { BUILD_HEADER, HEALTH_PATH, JOB_HEADER, MOST_BYTES, TIMEOUT_HEADER, type WorkerHealth } from './words.ts';

/** A machine that is there takes a connection sooner. */
const CONNECT_WITHIN_MS = 3_000;
const MOST_TIMER_MS = 2 ** 31 - 1;

export interface WorkerAccess {
  /** Whose functions are asked for. */
  readonly job: string;
  readonly token: string | undefined;
  /** Certificates as PEM. @default the authorities that Node trusts */
  readonly ca: string | undefined;
}

/** What became of a request to a function. */
export type Called =
  | { readonly outcome: 'answered'; readonly value: unknown; readonly build: string | undefined }
  /** The worker has not begun with it: another one may be asked. */
  | { readonly outcome: 'not-begun'; readonly reason: string }
  /** It may have been done. `isWorkerWell`: the worker has said so itself. */
  | { readonly outcome: 'failed'; readonly reason: string; readonly isWorkerWell: boolean; readonly fatal: boolean };

/** What a worker says of itself. */
export type Looked =
  | { readonly outcome: 'is-there'; readonly health: WorkerHealth }
  | { readonly outcome: 'refuses-token'; readonly reason: string }
  /** It answers, and is no worker. */
  | { readonly outcome: 'is-none'; readonly reason: string }
  | { readonly outcome: 'no-answer'; readonly reason: string };

/** One worker, as `onceflow run` speaks to it. */
export interface WorkerClient {
  call(path: string, body: Buffer, timeoutMs: number, signal: AbortSignal): Promise<Called>;
  look(timeoutMs: number): Promise<Looked>;
  close(): void;
}

const REFUSED = 'it refuses the token of ONCEFLOW_WORKER_TOKEN_FILE: the first line of that file must be a line of its own';

export async function openWorkerClient({ origin, isTls }: WorkerUrl, { job, token, ca }: WorkerAccess): Promise<WorkerClient> {
  // Loaded here: a deployment's coordinator has no use for them.
  const http = isTls ? await import('node:https') : await import('node:http');
  const agent: Agent = new http.Agent({ keepAlive: true, ...(isTls && ca !== undefined ? { ca } : {}) });
  const authorization = token === undefined ? {} : { authorization: authorizationOf(token) };

  function send(method: 'GET' | 'POST', path: string, { body, timeoutMs, signal }: Sent): Promise<Reply> {
    return new Promise((resolve) => {
      const length = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length };
      const headers = { ...authorization, ...length, [JOB_HEADER]: job, [TIMEOUT_HEADER]: `${Math.ceil(timeoutMs)}` };
      const request = http.request(`${origin}${path}`, { agent, method, headers, ...(signal && { signal }) });
      const state = { isConnected: false, isLate: false };
      const late = () => {
        state.isLate = true;
        request.destroy(new Error(`no answer within ${timeoutMs} ms`));
      };
      const unconnected = () => request.destroy(new Error(`no connection within ${CONNECT_WITHIN_MS} ms`));
      const answering = setTimeout(late, Math.min(timeoutMs, MOST_TIMER_MS));
      const connecting = timeoutMs > CONNECT_WITHIN_MS ? setTimeout(unconnected, CONNECT_WITHIN_MS) : undefined;
      whenConnected(request, isTls, () => {
        state.isConnected = true;
        clearTimeout(connecting);
      });
      const fail = (error: Error) => resolve({ ...state, reason: reasonOf(error) });
      request.on('error', fail);
      request.on('close', () => {
        clearTimeout(answering);
        clearTimeout(connecting);
      });
      request.on('response', (response) => {
        readAll(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, text, build: headerOf(response, BUILD_HEADER) }),
          (error: Error) => fail(error),
        );
      });
      request.end(body);
    });
  }

  return {
    async call(path, body, timeoutMs, signal) {
      const reply = await send('POST', path, { body, timeoutMs, signal });
      if ('status' in reply) return calledOf(reply);
      if (!reply.isConnected) return { outcome: 'not-begun', reason: reply.reason };
      return { outcome: 'failed', reason: reply.isLate ? lateText(timeoutMs) : reply.reason, isWorkerWell: false, fatal: false };
    },
    async look(timeoutMs) {
      const reply = await send('GET', HEALTH_PATH, { timeoutMs });
      return 'status' in reply ? lookedOf(reply) : { outcome: 'no-answer', reason: reply.reason };
    },
    close: () => agent.destroy(),
  };
}

interface Sent {
  readonly body?: Buffer;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

type Reply = Answered | { readonly isConnected: boolean; readonly isLate: boolean; readonly reason: string };

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly build: string | undefined;
}

function calledOf({ status, text, build }: Answered): Called {
  switch (status) {
    case 200:
      return answeredBy(text, build);
    case 401:
      return { outcome: 'not-begun', reason: REFUSED };
    case 421:
    case 503:
      return { outcome: 'not-begun', reason: text };
    case 413:
      return { outcome: 'failed', reason: text, isWorkerWell: true, fatal: true };
    case 500:
    case 502:
      return { outcome: 'failed', reason: text, isWorkerWell: true, fatal: false };
    default:
      return { outcome: 'not-begun', reason: strange(status) };
  }
}

/** Something between here and the worker may answer for it, with a page of its own. */
function answeredBy(text: string, build: string | undefined): Called {
  try {
    return { outcome: 'answered', value: JSON.parse(text), build };
  } catch {
    const reason = 'it answers with what is no JSON: something else may listen there, or stand before it';
    return { outcome: 'failed', reason, isWorkerWell: false, fatal: false };
  }
}

function lookedOf({ status, text }: Answered): Looked {
  if (status === 401) return { outcome: 'refuses-token', reason: REFUSED };
  const health = status === 200 || status === 503 ? healthIn(text) : undefined;
  return health === undefined ? { outcome: 'is-none', reason: strange(status) } : { outcome: 'is-there', health };
}

function healthIn(text: string): WorkerHealth | undefined {
  try {
    const { status, job, build } = JSON.parse(text) as Partial<Record<keyof WorkerHealth, unknown>>;
    const isStatus = status === 'ok' || status === 'starting' || status === 'draining';
    return isStatus && typeof job === 'string' && typeof build === 'string' ? { status, job, build } : undefined;
  } catch {
    return undefined;
  }
}

function strange(status: number): string {
  return `it answers with HTTP status ${status}, and is no onceflow worker`;
}

function lateText(timeoutMs: number): string {
  return `it was still running ${timeoutMs} ms after it was invoked, when its time was over`;
}

/** A connection that is used again stands already: then nobody knows what of a request has come. */
function whenConnected(request: ClientRequest, isTls: boolean, done: () => void): void {
  request.on('socket', (socket) => {
    if (request.reusedSocket) done();
    else socket.once(isTls ? 'secureConnect' : 'connect', done);
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) throw new Error(`its answer has more than ${MOST_BYTES} bytes: lower ONCEFLOW_INLINE_BLOB_BYTES`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
