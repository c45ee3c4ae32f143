import { request as plainRequest } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';

/** PEM texts. */
export interface RegistryTls {
  /** Whom to trust. @default Node's own, and NODE_EXTRA_CA_CERTS */
  readonly ca?: string;
  /** Of this client, where the registry asks for one. */
  readonly cert?: string;
  /** The private key of that certificate, as PEM. */
  readonly key?: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** A schema is a few KB. Whatever answers with more than this is none. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Sends one request after the other, each on a connection of its own: there is one for a schema in the life of a process. */
export function httpClient(tls: RegistryTls | undefined, timeoutMs: number): (url: URL, request: HttpRequest) => Promise<HttpAnswer> {
  const agent = new Agent({ ...tls });
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs);
      const fail = (error: Error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`, { cause: error }) : error);
      const isTls = url.protocol === 'https:';
      const sent = isTls
        ? tlsRequest(url, { method, headers, signal, agent })
        : plainRequest(url, { method, headers, signal, agent: false });
      sent.once('error', fail);
      sent.once('response', (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.once('error', fail);
        response.on('data', (part: Buffer) => {
          parts.push(part);
          bytes += part.length;
          if (bytes > MOST_BYTES) response.destroy(new Error(`the answer has more than ${MOST_BYTES} bytes`));
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }));
      });
      sent.end(body);
    });
}
