import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { openTcpProxy } from './tcp-proxy.ts';

/** A port of this machine behind which a server can be down at first and come up later. */
export interface Door {
  /** `127.0.0.1:<port>`; nothing listens there until `open`. */
  readonly address: string;
  open(): Promise<void>;
}

/** A door to the server at `target`, as `host:port`. Closed at first. */
export async function newDoor(target: string): Promise<Door> {
  const port = await freePort();
  return {
    address: `127.0.0.1:${port}`,
    async open() {
      const proxy = await openTcpProxy(target, port);
      onTestFinished(() => proxy.close());
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
