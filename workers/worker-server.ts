import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { systemClock } from '../host/system.ts';
import type { FunctionTarget } from '../lib/ports/function-invoker.ts';
import { reasonOf } from '../lib/ports/reason.ts';
import { isAuthorized } from '../lib/workers/token.ts';
import { BUILD_HEADER, HEALTH_PATH, JOB_HEADER, MOST_BYTES, TIMEOUT_HEADER, targetIn, type WorkerHealth } from '../lib/workers/words.ts';
import type { SocketAnswer, SocketCall } from '../local/functions/socket-call.ts';
import { answer, answerMetrics, type Listening, listen } from './http.ts';

/** Longer than what invokes waits between two requests of a job that is well. */
const KEEP_ALIVE_MS = 65_000;
const LAST_ANSWERS_MS = 500;
/** Who asks while it ends is told so, and asks another one: a connection that is closed may have a request on its way. */
const TELL_MS = 2_000;

export interface WorkerServerOptions extends Listening {
  /** @default http */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Of who may ask. Empty: everybody on this machine. */
  readonly tokens: readonly string[];
  readonly job: string;
  readonly build: string;
  /** Does every process of functions listen? */
  readonly isReady: () => boolean;
  /** Passes a request on to the function of a target. */
  readonly call: (target: FunctionTarget, what: SocketCall) => Promise<SocketAnswer>;
  /** What Prometheus reads. Undefined: there is none. */
  readonly metrics: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
}

export interface WorkerServer {
  readonly address: string;
  /** Takes no more work, and resolves when what was under way is answered, or after so long. */
  drain(withinMs: number): Promise<void>;
}

/** The HTTP server of a worker. */
export async function serveWorker(options: WorkerServerOptions): Promise<WorkerServer> {
  const { tls } = options;
  const running = new Set<Promise<void>>();
  let isDraining = false;

  const statusNow = (): WorkerHealth['status'] => (isDraining ? 'draining' : options.isReady() ? 'ok' : 'starting');

  const listener: RequestListener = (request, response) => {
    const mayAsk = options.tokens.length === 0 || isAuthorized(request.headers.authorization, options.tokens);
    if (mayAsk) response.setHeader(BUILD_HEADER, options.build);
    const path = request.url ?? '';
    if (path === HEALTH_PATH && request.method === 'GET') return health(request, response, mayAsk);
    if (!mayAsk) return answer(response, 401, 'the request has no token that this worker takes (ONCEFLOW_WORKER_TOKEN_FILE)');
    if (path === '/metrics' && request.method === 'GET') return void answerMetrics(response, options.metrics);
    const target = targetIn(path);
    if (target === undefined || request.method !== 'POST')
      return answer(response, 404, `${request.method} ${path} is nothing that a worker does`);
    const work = run(request, response, target);
    running.add(work);
    void work.finally(() => running.delete(work));
  };

  /** What needs no token says no more than whether it takes work: a probe asks it. Who shows a token that is none is told so. */
  function health({ headers }: IncomingMessage, response: ServerResponse, mayAsk: boolean): void {
    if (!mayAsk && headers.authorization !== undefined) return answer(response, 401, 'this worker does not take the token');
    const status = statusNow();
    const of: WorkerHealth = { status, job: options.job, build: options.build };
    answer(response, status === 'ok' ? 200 : 503, JSON.stringify(mayAsk ? of : { status }), 'application/json');
  }

  async function run(request: IncomingMessage, response: ServerResponse, target: FunctionTarget): Promise<void> {
    const timeoutMs = Number(request.headers[TIMEOUT_HEADER]);
    if (!(timeoutMs > 0)) return answer(response, 400, `the header ${TIMEOUT_HEADER} must be a number of milliseconds above 0`);
    const asked = request.headers[JOB_HEADER];
    // Builds of before say none.
    if (asked !== undefined && asked !== options.job)
      return answer(response, 421, `it is a worker of job ${options.job}, and this is job ${asked}`);
    if (isDraining) return answer(response, 503, 'it ends, and takes no more work');
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      const body = await bodyOf(request);
      if (body === undefined)
        return answer(response, 413, `the request has more than ${MOST_BYTES} bytes: lower ONCEFLOW_INLINE_BLOB_BYTES`);
      const called = await options.call(target, { body, timeoutMs, signal: gone.signal });
      if (called.outcome === 'answered') return answer(response, 200, called.text, 'application/json');
      if (called.outcome === 'failed') return answer(response, 500, `the function failed: ${called.reason}`);
      return answer(response, 502, `the process of the function gave no answer: ${called.reason}`);
    } catch (error) {
      answer(response, 500, reasonOf(error));
    }
  }

  /** What is under way, and what comes meanwhile. */
  async function answered(): Promise<void> {
    while (running.size > 0) await Promise.allSettled(running);
  }

  const server =
    tls === undefined
      ? (await import('node:http')).createServer(listener)
      : (await import('node:https')).createServer({ cert: tls.cert, key: tls.key }, listener);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const address = await listen(server, options, tls === undefined ? 'http' : 'https');
  return {
    address,
    async drain(withinMs) {
      isDraining = true;
      await within(withinMs, Promise.all([sleep(TELL_MS), answered()]));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // The last answers are on their way still.
      await within(LAST_ANSWERS_MS, closed);
      server.closeAllConnections();
    },
  };
}

function sleep(ms: number): Promise<void> {
  return systemClock.sleep(ms);
}

/** Waits for it, for so long at most. A timer that nobody waits for any more would keep the process. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const isDone = new AbortController();
  await Promise.race([work, systemClock.sleep(ms, isDone.signal)]);
  isDone.abort();
}

/** Undefined: it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= MOST_BYTES) chunks.push(chunk as Buffer);
  }
  return bytes > MOST_BYTES ? undefined : Buffer.concat(chunks);
}
