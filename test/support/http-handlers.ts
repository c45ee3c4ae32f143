import { Readable } from 'node:stream';

/** What these handlers read of a request of the AWS SDK. */
export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Handle = (request: SentRequest, options?: object) => Promise<{ readonly response: unknown }>;

/** An object that every client takes as its `requestHandler`. */
export type RequestHandler = { readonly handle: Handle; readonly [member: string]: unknown };

/** What a scripted server does with one request: answer, or fail as the network does; where it has to know what is asked, as it says then. */
export type Scripted = ScriptedAnswer | Error | ((request: SentRequest) => Scripted);
interface ScriptedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers requests from the script, in order; its last answer is given again for ever. `requests` grows as they come. */
export function scripted(...script: readonly [Scripted, ...Scripted[]]): {
  readonly requestHandler: RequestHandler;
  readonly requests: readonly SentRequest[];
} {
  const requests: SentRequest[] = [];
  const handle: Handle = async (request) => {
    const next = script[Math.min(requests.length, script.length - 1)] ?? script[0];
    requests.push(request);
    const answer = said(next, request);
    if (answer instanceof Error) throw answer;
    const { status, body = {}, headers = {} } = answer;
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return { response: { statusCode: status, headers: { 'content-length': `${bytes.length}`, ...headers }, body: Readable.from([bytes]) } };
  };
  return { requestHandler: handlerOf(handle), requests };
}

function said(what: Scripted, request: SentRequest): ScriptedAnswer | Error {
  return typeof what === 'function' ? said(what(request), request) : what;
}

/** Passes requests on; those that `isLost` picks are carried out and their answers thrown away, as by a reset connection. */
export function losingAnswers(real: { readonly handle: Handle }, isLost: (request: SentRequest) => boolean): RequestHandler {
  return handlerOf(async (request, options) => {
    const answer = await real.handle(request, options);
    if (isLost(request)) throw connectionReset();
    return answer;
  });
}

/**
 * Passes requests on; the first that `isHeld` picks is kept back while its sender sees a reset connection, and reaches
 * the server only with `deliver`, as if the network had been slow.
 */
export function holdingBack(
  real: { readonly handle: Handle },
  isHeld: (request: SentRequest) => boolean,
): { readonly requestHandler: RequestHandler; readonly deliver: () => Promise<void> } {
  let held: SentRequest | undefined;
  const requestHandler = handlerOf(async (request, options) => {
    if (held !== undefined || !isHeld(request)) return real.handle(request, options);
    held = request;
    throw connectionReset();
  });
  const deliver = async () => {
    if (held === undefined) throw new Error('no request was held back');
    await real.handle(held);
  };
  return { requestHandler, deliver };
}

export function connectionReset(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

/** A request's body as text. */
export function textOf({ body }: SentRequest): string {
  // Not `Buffer.from(body)`, which calls the `valueOf` of the SDK's own kind of byte array.
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() : String(body ?? '');
}

function handlerOf(handle: Handle): RequestHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle,
    destroy: () => undefined,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}
