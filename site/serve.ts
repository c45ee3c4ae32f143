import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { UsageError } from '../lib/config/usage-error.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
};

export const DEFAULT_PORT = '4173';

/** @throws UsageError: it is none */
export function portIn(port = DEFAULT_PORT): number {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`--port is ${JSON.stringify(port)}: it must be a port`);
  return Number(port);
}

/** Shows a folder on this machine alone, until the process ends. Resolves with its address. @param port 0: any that is free */
export function serve(folder: string, port: number): Promise<string> {
  const server = createServer((request, response) => {
    const file = fileIn(folder, request.url ?? '/');
    const known = file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    response.writeHead(known ? 200 : 404, { 'content-type': TYPES[extname(known ? file : '404.html')] ?? 'application/octet-stream' });
    createReadStream(known ? file : join(folder, '404.html')).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`);
    });
  });
}

/** Undefined: no file has such an address. */
function fileIn(folder: string, url: string): string | undefined {
  let path: string;
  try {
    path = normalize(decodeURIComponent(new URL(url, 'http://site').pathname));
  } catch {
    return undefined;
  }
  if (path.includes('\0')) return undefined;
  return join(folder, path.endsWith('/') ? `${path}index.html` : path);
}
