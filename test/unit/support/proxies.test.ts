import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openHttpProxy, type Treatment } from '../../support/http-proxy.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Bodies of the requests that were carried out. */
let carriedOut: string[];
let target: string;
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  carriedOut.push(body);
  response.end(`did ${body}`);
});

beforeEach(async () => {
  carriedOut = [];
  await once(server.listen(0, '127.0.0.1'), 'listening');
  target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const ask = async (endpoint: string, body: string, signal?: AbortSignal) => {
  const answer = await fetch(endpoint, {
    method: 'POST',
    body,
    headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' },
    ...(signal && { signal }),
  });
  return { status: answer.status, text: await answer.text() };
};

describe('a TCP proxy', () => {
  const open = async () => {
    const proxy = await openTcpProxy(target);
    onTestFinished(() => proxy.close());
    return { proxy, endpoint: `http://${proxy.address}` };
  };

  it('passes requests and answers on, late if it is told to', async () => {
    const { proxy, endpoint } = await open();
    expect(await ask(endpoint, 'one')).toEqual({ status: 200, text: 'did one' });
    proxy.set({ does: 'delay', ms: 60 });
    const startedMs = performance.now();
    await ask(endpoint, 'two');
    expect(performance.now() - startedMs).toBeGreaterThan(100);
  });

  it('that holds delivers a request later, though its sender has given up', async () => {
    const { proxy, endpoint } = await open();
    proxy.set({ does: 'hold' });
    const socket = connect(Number(new URL(endpoint).port), '127.0.0.1');
    socket.end('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nlate');
    await sleep(50);
    expect(carriedOut).toEqual([]);
    proxy.set({ does: 'pass' });
    await waitFor('the request', () => carriedOut.includes('late'));
  });

  it('that loses answers has requests carried out', async () => {
    const { proxy, endpoint } = await open();
    proxy.set({ does: 'lose-answers' });
    await expect(ask(endpoint, 'lost')).rejects.toThrow();
    expect(carriedOut).toEqual(['lost']);
  });

  it('that refuses resets connections, and carries out nothing', async () => {
    const { proxy, endpoint } = await open();
    proxy.set({ does: 'refuse' });
    await expect(ask(endpoint, 'refused')).rejects.toThrow();
    expect(carriedOut).toEqual([]);
  });
});

describe('an HTTP proxy', () => {
  const open = async (treat: (request: string) => Treatment) => {
    const proxy = await openHttpProxy(`http://${target}`, 0);
    onTestFinished(() => proxy.close());
    proxy.set(treat);
    return proxy;
  };

  it.each([true, false])('answers with an error of the service; the request is carried out: %s', async (isCarriedOut) => {
    const { endpoint } = await open(() => ({ does: 'fail', how: 'internal', carriedOut: isCarriedOut }));
    const { status, text } = await ask(endpoint, 'x');
    expect({ status, text }).toMatchObject({ status: 500, text: expect.stringContaining('InternalServerError') });
    expect(carriedOut).toEqual(isCarriedOut ? ['x'] : []);
  });

  it.each([true, false])('resets the connection; the request is carried out: %s', async (isCarriedOut) => {
    const { endpoint } = await open(() => ({ does: 'reset', carriedOut: isCarriedOut }));
    await expect(ask(endpoint, 'x')).rejects.toThrow();
    expect(carriedOut).toEqual(isCarriedOut ? ['x'] : []);
  });

  it('holds answers of the requests that are picked by name, and gives them afterwards', async () => {
    const { promise: until, resolve } = Promise.withResolvers<void>();
    const asked: string[] = [];
    const { endpoint } = await open((request) => {
      asked.push(request);
      return { does: 'hold', what: 'answer', until };
    });
    const answer = ask(endpoint, 'x');
    await waitFor('the request', () => carriedOut.includes('x'));
    resolve();
    expect(await answer).toEqual({ status: 200, text: 'did x' });
    expect(asked).toEqual(['DynamoDB.PutItem']);
  });
});
