import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../../lib/config/usage-error.ts';
import { reasonOf } from '../../lib/ports/reason.ts';
import { callIn } from './actions.ts';
import type { ConsoleDeps } from './deps.ts';
import { createPageFiles } from './files.ts';
import { INTENT_HEADER, mayAsk } from './guard.ts';
import { type ActionOutcome, createReader } from './outcome.ts';
import { PANELS } from './panels.ts';
import { type Route, routeOf } from './route.ts';

export interface ConsoleServer {
  /** Of the page, with its token. */
  readonly address: string;
  close(): Promise<void>;
}

/** Loopback, and nothing else: there is no option for it. */
const HOST = '127.0.0.1';
const TOKEN_BYTES = 32;
/** What an action is told has a few words. */
const MOST_BYTES = 4_096;

/**
 * The page loads what this server has, and nothing else: no script and no style within the HTML, none of another host. `require-trusted-types-for`:
 * no text becomes HTML, whatever a library does.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const;

/** @param port 0: one that is free. @throws UsageError: it cannot listen there */
export async function serveConsole(deps: ConsoleDeps, port: number, explain: (error: unknown) => string): Promise<ConsoleServer> {
  // The token is behind the #, which no browser sends: it is in no log, and in no other page's referrer.
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const fileAt = createPageFiles();
  const read = createReader({ nowMs: deps.clock.now, sleep: deps.clock.sleep, explain });
  let acting: string | undefined;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routeOf(request.method, request.url ?? '/');
    const asks = route.asks === 'nothing' ? 'file' : route.asks;
    const verdict = mayAsk(asks, askerOf(request), { port: portOf(), token });
    if (!verdict.may) return answerText(response, verdict.status, verdict.why);
    if (route.asks === 'nothing') return answerText(response, route.status, route.why);
    if (route.asks === 'file') {
      const file = await fileAt(route.path);
      return file === undefined ? answerText(response, 404, 'there is nothing here') : answer(response, 200, file.type, file.text);
    }
    if (route.asks === 'panel') {
      const { panel, query } = route;
      return answerJson(response, 200, await read(`${panel} ${JSON.stringify(query)}`, () => PANELS[panel](deps, query)));
    }
    return answerJson(response, 200, await act(route, await bodyOf(request)));
  }

  async function act({ action }: Extract<Route, { readonly asks: 'action' }>, body: string | undefined): Promise<ActionOutcome> {
    if (deps.act === undefined) return { is: 'refused', text: 'this console only reads (--read-only)' };
    if (body === undefined) return { is: 'refused', text: `more than ${MOST_BYTES} bytes were sent` };
    const asked = callIn(action, body);
    if ('why' in asked) return { is: 'refused', text: asked.why };
    // Two at once would be two persons who do not know of each other, or one that pressed twice.
    if (acting !== undefined) return { is: 'refused', text: `"onceflow ${acting}" is under way still: nothing was done` };
    acting = asked.call.join(' ');
    try {
      return await deps.act(asked.call);
    } catch (error) {
      return { is: 'failed', text: explain(error) };
    } finally {
      acting = undefined;
    }
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => answerText(response, 500, reasonOf(error)));
  });
  const portOf = () => (server.address() as AddressInfo).port;
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) => reject(new UsageError(`it cannot listen at --port ${port}: ${message}`)));
    server.listen(port, HOST, resolve);
  });
  return {
    address: `http://${HOST}:${portOf()}/#${token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function askerOf({ headers }: IncomingMessage) {
  const one = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return {
    host: headers.host,
    origin: headers.origin,
    site: one('sec-fetch-site'),
    authorization: headers.authorization,
    intent: one(INTENT_HEADER),
    contentType: headers['content-type'],
  };
}

/** Undefined: it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...HEADERS, 'content-type': type }).end(text);
}

function answerText(response: ServerResponse, status: number, text: string): void {
  answer(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  answer(response, status, 'application/json', JSON.stringify(value));
}
