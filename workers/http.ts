import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../lib/config/usage-error.ts';

/** Where a process listens. */
export interface Listening {
  readonly port: number;
  readonly host: string;
}

export function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  if (!response.headersSent && !response.destroyed) response.writeHead(status, { 'content-type': type }).end(text);
}

/** What Prometheus reads, or why it reads nothing. */
export async function answerMetrics(
  response: ServerResponse,
  metrics: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined,
): Promise<void> {
  if (metrics === undefined) return answer(response, 501, 'metrics need the package prom-client: npm install prom-client');
  const { contentType, text } = await metrics();
  answer(response, 200, text, contentType);
}

/** @returns its address. @throws UsageError: it cannot listen there */
export async function listen(server: Server, { port, host }: Listening, scheme: 'http' | 'https'): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) => reject(new UsageError(`it cannot listen at --host ${host} --port ${port}: ${message}`)));
    server.listen(port, host, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
}
