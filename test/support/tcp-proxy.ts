import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a proxy does with what goes through it. */
export type Link =
  | { readonly does: 'pass' }
  /** Every piece, of either direction, is late by this much. */
  | { readonly does: 'delay'; readonly ms: number }
  /**
   * Nothing arrives, and connections stay open. What waits is passed on afterwards, as by a network that heals. With `only`,
   * this happens to those connections of whose first bytes it is true.
   */
  | { readonly does: 'hold'; readonly only?: (opening: Buffer) => boolean }
  /** Requests are carried out; instead of the first answer the connection is reset. */
  | { readonly does: 'lose-answers' }
  /** Every connection is reset, and each new one. */
  | { readonly does: 'refuse' };

export interface TcpProxy {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** From now on, for connections old and new. */
  set(link: Link): void;
  close(): Promise<void>;
}

/**
 * A server that hands everything on to `target`, as `host:port`, until it is told to do otherwise.
 *
 * @param port where it listens. Default: a free one
 */
export async function openTcpProxy(target: string, port = 0): Promise<TcpProxy> {
  const { hostname: host, port: targetPort } = new URL(`tcp://${target}`);
  const sockets = new Set<Socket>();
  let link: Link = { does: 'pass' };
  let changed = Promise.withResolvers<void>();

  const isHeld = (opening: Buffer) => link.does === 'hold' && (link.only?.(opening) ?? true);

  const gate = (client: Socket, connection: { opening?: Buffer }, isAnswer: boolean) =>
    new Transform({
      async transform(chunk: Buffer, _encoding, pass) {
        connection.opening ??= chunk;
        if (isAnswer && link.does === 'lose-answers') client.resetAndDestroy();
        if (link.does === 'delay') await sleep(link.ms);
        while (isHeld(connection.opening)) await changed.promise;
        pass(null, chunk);
      },
    });

  // What a sender wrote before it gave up arrives all the same: the ends of a connection are closed one by one.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (link.does === 'refuse') return void client.resetAndDestroy();
    const behind = connect({ host, port: Number(targetPort), allowHalfOpen: true });
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    const connection = {};
    // A failure of one of the two ends the other.
    pipeline(client, gate(client, connection, false), behind, () => {});
    pipeline(behind, gate(client, connection, true), client, () => {});
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');

  function set(next: Link): void {
    link = next;
    changed.resolve();
    changed = Promise.withResolvers();
    if (next.does === 'refuse') for (const socket of sockets) socket.resetAndDestroy();
  }

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set,
    async close() {
      set({ does: 'refuse' });
      server.close();
      await once(server, 'close');
    },
  };
}
