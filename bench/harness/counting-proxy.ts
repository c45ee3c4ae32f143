import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Requests by what they do: `TransactWriteItems`, `lease renewal`, `UpdateItem SET retiredThrough`, `PUT blob` … */
export type Counts = ReadonlyMap<string, number>;

export interface CountingProxy {
  readonly endpoint: string;
  /** Requests since the start. */
  counts(): Counts;
  close(): void;
}

/** Stands between a job and the AWS emulator, and counts. For modes in which its time does not matter. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const counts = new Map<string, number>();
  const server = createServer(async (incoming, outgoing) => {
    const body = await bodyOf(incoming);
    const kind = kindOf(incoming, body);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const { method, url: path, headers } = incoming;
    const forwarded = httpRequest({ agent, hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => new Map(counts),
    close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

export function difference(before: Counts, after: Counts): Record<string, number> {
  const more = [...after].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

/** A renewal sets the time at which the lease ends and nothing else. */
function kindOf({ method, headers }: IncomingMessage, body: Buffer): string {
  const operation = headers['x-amz-target']?.toString().split('.')[1];
  if (operation === undefined) return `${method} blob`;
  if (operation !== 'UpdateItem') return operation;
  const { UpdateExpression: expression = '' } = JSON.parse(body.toString('utf8')) as { UpdateExpression?: string };
  return expression === 'SET leaseExpiresAtMs = :lease' ? 'lease renewal' : `${operation} ${expression.split(' = ')[0]}`;
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
