import { isIPv4 } from 'node:net';

/** Where a worker listens. */
export interface WorkerUrl {
  /** `http://host:port` or `https://host:port`, as it is shown to people. */
  readonly origin: string;
  readonly isTls: boolean;
  /** The host is this machine: nobody else hears what is said to it. */
  readonly isLoopback: boolean;
}

export const WORKERS_RULE =
  'http://host:port or https://host:port, or several of them with commas between, each once, without a path, a user or a query';

/** Undefined for a text that does not keep WORKERS_RULE. */
export function parseWorkerUrl(text: string): WorkerUrl | undefined {
  if (!/^https?:\/\/[^/?#@\s]+\/?$/.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null || url.hostname === '') return undefined;
  return { origin: url.origin, isTls: url.protocol === 'https:', isLoopback: isLoopback(url.hostname) };
}

/** Is a host, as somebody names it, this machine alone? An IPv6 address may stand in brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
