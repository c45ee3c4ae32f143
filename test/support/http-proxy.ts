import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a proxy does with one request to AWS. A request that is `carriedOut` reaches the service; only its answer is lost. */
export type Treatment =
  | { readonly does: 'pass' }
  | { readonly does: 'delay'; readonly ms: number }
  /** An error of the service instead of its answer: "internal error", or "too many requests", which is never carried out. */
  | { readonly does: 'fail'; readonly how: 'internal'; readonly carriedOut: boolean }
  | { readonly does: 'fail'; readonly how: 'throttled'; readonly carriedOut: false }
  | { readonly does: 'reset'; readonly carriedOut: boolean }
  /** The request waits in front of the service, or its answer behind it. */
  | { readonly does: 'hold'; readonly what: 'request' | 'answer'; readonly until: Promise<void> };

export interface HttpProxy {
  /** `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** @param treat is asked for each request: `DynamoDB.<action>`, or `S3.<method>` */
  set(treat: (request: string) => Treatment): void;
  pass(): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const PASS: Treatment = { does: 'pass' };

/** A proxy in front of an AWS endpoint that can treat every request on its own. */
export async function openHttpProxy(target: string, port: number): Promise<HttpProxy> {
  const agent = new Agent({ keepAlive: true });
  let treat = (_request: string): Treatment => PASS;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const treatment = treat(nameOf(request));
    const late = treatment.does === 'hold' ? treatment : undefined;
    if (treatment.does === 'delay') await sleep(treatment.ms);
    if (late?.what === 'request') await late.until;
    const lost = treatment.does === 'fail' || treatment.does === 'reset' ? treatment : undefined;
    const answer = lost?.carriedOut === false ? undefined : await forward(target, agent, request, body);
    if (late?.what === 'answer') await late.until;
    if (lost?.does === 'reset') return void request.socket.resetAndDestroy();
    const given = lost?.does === 'fail' ? errorOf(nameOf(request), lost.how) : answer;
    if (given !== undefined) response.writeHead(given.status, given.headers).end(given.body);
  }

  const server = createServer((request, response) => {
    // Either side went away: so does the other.
    serve(request, response).catch(() => request.socket.destroy());
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next) {
      treat = next;
    },
    pass() {
      treat = () => PASS;
    },
    async close() {
      agent.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function nameOf({ headers, method }: IncomingMessage): string {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? `DynamoDB.${target.slice(target.indexOf('.') + 1)}` : `S3.${method}`;
}

function forward(target: string, agent: Agent, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target);
    const forwarded = httpRequest({ agent, hostname, port, method, path: url, headers }, (answer) => {
      bodyOf(answer).then((bytes) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: bytes }), reject);
    });
    forwarded.on('error', reject).end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function errorOf(request: string, how: 'internal' | 'throttled'): Answer {
  if (request.startsWith('DynamoDB.')) {
    const [status, code] = how === 'internal' ? [500, 'InternalServerError'] : [400, 'ProvisionedThroughputExceededException'];
    const text = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: 'made by the proxy' });
    return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: Buffer.from(text) };
  }
  const [status, code] = how === 'internal' ? [500, 'InternalError'] : [503, 'SlowDown'];
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made by the proxy</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(text) };
}
