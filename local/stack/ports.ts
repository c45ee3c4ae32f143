import { createServer, type Server } from 'node:net';

const HOST = '127.0.0.1';
/**
 * Below the ports that systems give to outgoing connections (Linux from 32768, macOS from 49152). Otherwise, while a
 * broker restarts, a client that reconnects could be given the broker's own port.
 */
const FIRST_PORT = 20_000;
const END_PORT = 32_000;
const BLOCK = 8;

/** Ports that no other stack has: taken one by one, given back together. */
export interface PortBlock {
  take(): Promise<number>;
  release(): void;
}

/**
 * Claims a block of ports by listening on its first one for as long as the block is held, and more blocks when one is used
 * up. Two stacks can never hold the same block, whoever starts first: the system decides, and it frees the blocks of an
 * owner that died.
 */
export async function claimPorts(): Promise<PortBlock> {
  const claims: Server[] = [];
  let next = 0;
  let end = 0;

  async function claimMore(): Promise<void> {
    const { first, claim } = await claimBlock();
    claims.push(claim);
    next = first + 1;
    end = first + BLOCK;
  }

  await claimMore();
  return {
    async take() {
      for (;;) {
        if (next === end) await claimMore();
        const port = next++;
        // A process that knows nothing of blocks may have it.
        const probe = await listen(port);
        if (probe === undefined) continue;
        await new Promise((resolve) => probe.close(resolve));
        return port;
      }
    },
    release: () => {
      for (const claim of claims) claim.close();
    },
  };
}

async function claimBlock(): Promise<{ readonly first: number; readonly claim: Server }> {
  const blocks = (END_PORT - FIRST_PORT) / BLOCK;
  const start = Math.floor(Math.random() * blocks);
  for (let i = 0; i < blocks; i++) {
    const first = FIRST_PORT + ((start + i) % blocks) * BLOCK;
    const claim = await listen(first);
    if (claim === undefined) continue;
    claim.unref();
    return { first, claim };
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${END_PORT} on ${HOST}`);
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: HOST, port, exclusive: true }, () => resolve(server));
  });
}
