import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A port of this machine behind which a server can be down at first and come up later. */
export interface Door {
  /** `127.0.0.1:<port>`; nothing listens there until `open`. */
  readonly address: string;
  open(): Promise<void>;
}

/** A door to the server at `target`, as `host:port`. Closed at first. */
export async function newDoor(target: string): Promise<Door> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect({ host, port: Number(port) });
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        behind.destroy();
      });
    }
    client.pipe(behind);
    behind.pipe(client);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const taken = await freePort();
  return {
    address: `127.0.0.1:${taken}`,
    async open() {
      await once(server.listen(taken, '127.0.0.1'), 'listening');
    },
  };
}

async function freePort(): Promise<number> {
  const server: Server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
