import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../host/system.ts';
import { parseWorkerUrl } from '../../../lib/config/worker-url.ts';
import type { FunctionTarget } from '../../../lib/ports/function-invoker.ts';
import { placeSubtasks } from '../../../lib/workers/placement.ts';
import { openWorkerClient, type WorkerAccess } from '../../../lib/workers/worker-client.ts';
import { createWorkersInvoker } from '../../../lib/workers/workers-invoker.ts';
import type { SocketAnswer, SocketCall } from '../../../local/functions/socket-call.ts';
import { serveWorker, type WorkerServerOptions } from '../../../workers/worker-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { anotherAuthority, testCertificate, testKey } from '../kafka/certificate.ts';

const TOKEN = 'the-token-of-these-workers';
const operator: FunctionTarget = { role: 'operator', stage: 'count', subtask: 0 };

type Call = (target: FunctionTarget, what: SocketCall) => Promise<SocketAnswer>;
const echo: Call = async ({ role, stage, subtask }, { body }) => ({
  outcome: 'answered',
  text: JSON.stringify({ at: `${role} ${stage} ${subtask}`, got: JSON.parse(body.toString()) }),
});

/** A worker on a free port, whose functions are this. */
async function worker(call: Call = echo, more: Partial<WorkerServerOptions> = {}) {
  const of: WorkerServerOptions = {
    port: 0,
    host: '127.0.0.1',
    tls: undefined,
    tokens: [],
    job: 'word-count',
    build: 'one',
    isReady: () => true,
    call,
    metrics: undefined,
    ...more,
  };
  const server = await serveWorker(of);
  onTestFinished(() => server.drain(0));
  return server;
}

/** Who invokes at these addresses, in this order. */
async function invoker(addresses: readonly string[], access: Partial<WorkerAccess> = {}, build = 'one') {
  const said: string[] = [];
  const workers = await Promise.all(
    addresses.map(async (address) => {
      const url = parseWorkerUrl(address);
      if (url === undefined) throw new Error(address);
      return { origin: address, client: await openWorkerClient(url, { job: 'word-count', token: undefined, ca: undefined, ...access }) };
    }),
  );
  const homeOf = placeSubtasks([{ id: 'count', subtasks: addresses.length }], addresses.length);
  const made = await createWorkersInvoker({
    workers,
    homeOf,
    job: 'word-count',
    build,
    clock: systemClock,
    say: (line) => said.push(line),
  });
  onTestFinished(() => made.close());
  const invoke = (target = operator, timeoutMs = 5_000, payload: unknown = {}) =>
    made.invoke(target, payload, { timeoutMs }).catch((error: Error & { fatal?: boolean }) => error);
  return { invoke, said, made };
}

const named =
  (name: string): Call =>
  async () => ({ outcome: 'answered', text: JSON.stringify(name) });
const messageOf = (result: unknown) => (result instanceof Error ? result.message : `no error: ${JSON.stringify(result)}`);

describe('a function at a worker', () => {
  it('gets the payload of its target, and its answer comes back', async () => {
    const { address } = await worker();
    const { invoke } = await invoker([address]);
    expect(await invoke({ role: 'sink', stage: 'write x', subtask: 3 }, 5_000, { ask: 'commit', ü: 1 })).toEqual({
      at: 'sink write x 3',
      got: { ask: 'commit', ü: 1 },
    });
  });

  it('that throws, or whose process is lost, fails the call once, and the worker goes on', async () => {
    let calls = 0;
    const failing: Call = async () => ({ outcome: ++calls === 1 ? 'failed' : 'lost', reason: 'TypeError: no' });
    const [first, second] = [await worker(failing), await worker(named('second'))];
    const { invoke, said } = await invoker([first.address, second.address]);
    expect(messageOf(await invoke())).toBe(
      `function operator (stage count, subtask 0) gave no answer: worker ${first.address}: the function failed: TypeError: no`,
    );
    expect(messageOf(await invoke())).toContain('the process of the function gave no answer: TypeError: no');
    expect([calls, said]).toEqual([2, []]);
  });

  it('is given up at its deadline, and its worker hears of it', async () => {
    let heard = false;
    const slow: Call = (_target, { signal }) => new Promise(() => signal?.addEventListener('abort', () => (heard = true)));
    const { address } = await worker(slow);
    const { invoke } = await invoker([address]);
    const result = await invoke(operator, 150);
    expect(result).toMatchObject({ name: 'InvokeError', fatal: false });
    expect(messageOf(result)).toMatch(/it was still running \d+ ms after it was invoked, when its time was over/);
    await waitFor('the worker to hear of it', () => heard);
  });

  it('is not begun when its time is over', async () => {
    const { address } = await worker(() => Promise.reject(new Error('begun')));
    expect(messageOf(await (await invoker([address])).invoke(operator, 0))).toContain('its time was over before a worker began');
  });
});

describe('several workers', () => {
  it('have each subtask at its home, always the same', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((name) => worker(named(name))));
    const { invoke } = await invoker(all.map(({ address }) => address));
    const at = (subtask: number) => invoke({ ...operator, subtask });
    for (let time = 0; time < 2; time++) expect(await Promise.all([0, 1, 2].map(at))).toEqual(['a', 'b', 'c']);
  });

  it('take over at once for one that ends, that is not there, or that starts, and give back when it is there again', async () => {
    let isReady = false;
    const starting = await worker(named('a'), { isReady: () => isReady });
    const second = await worker(named('b'));
    const { invoke, said } = await invoker([starting.address, second.address]);
    expect(said).toEqual([`worker ${starting.address} is away: it starts`]);
    expect(await invoke()).toBe('b');
    isReady = true;
    await waitFor('the first to take work', () => said.length > 1);
    expect([said[1], await invoke()]).toEqual([`worker ${starting.address} takes work again`, 'a']);
    const ended = starting.drain(10_000);
    expect(await invoke()).toBe('b');
    await ended;
    expect(await invoke()).toBe('b');
  });

  it('take over at once for one that has gone since it was last looked at: it has begun nothing', async () => {
    const [gone, second] = [await worker(named('gone')), await worker(named('second'))];
    const { invoke } = await invoker([gone.address, second.address]);
    await gone.drain(0);
    // Until it is known here that its connection is closed.
    await new Promise((wait) => setTimeout(wait, 100));
    expect(await invoke()).toBe('second');
  });

  it('of another build are asked only when there is none of the own', async () => {
    const [old, own] = [await worker(named('old'), { build: 'zero' }), await worker(named('own'))];
    const { invoke } = await invoker([old.address, own.address]);
    expect([await invoke(), await invoke({ ...operator, subtask: 1 })]).toEqual(['own', 'own']);
    const { invoke: only } = await invoker([old.address]);
    expect(await only()).toBe('old');
  });

  it('that are all away are named with what is wrong with each', async () => {
    const strange = await worker(echo, { job: 'other' });
    const { invoke, said } = await invoker([strange.address, 'http://127.0.0.1:9']);
    const result = messageOf(await invoke());
    expect(result).toContain(
      `no worker takes it: ${strange.address}: it is a worker of job other, and this is job word-count; http://127.0.0.1:9: `,
    );
    expect(result).toContain('ECONNREFUSED');
    expect(said).toHaveLength(2);
  });

  it('that freeze while they work are given up long before the deadline', { timeout: 60_000 }, async () => {
    let freeze = false;
    const { createServer } = await import('node:http');
    const health = JSON.stringify({ status: 'ok', job: 'word-count', build: 'one' });
    const server = createServer((request, response) => {
      if (request.method === 'POST') freeze = true;
      if (!freeze) response.end(health);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    const address = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const other = await worker(named('other'));
    const { invoke } = await invoker([address, other.address]);
    expect(messageOf(await invoke(operator, 600_000))).toContain(`worker ${address}: it did not answer while it worked`);
    expect(await invoke()).toBe('other');
  });
});

describe('a worker with a token', () => {
  it('works for who has one of its tokens, and tells nobody else more than whether it is up', async () => {
    const { address } = await worker(echo, { tokens: ['the-token-before-this-one', TOKEN] });
    expect(await (await invoker([address], { token: TOKEN })).invoke()).toMatchObject({ got: {} });
    const plain = await fetch(`${address}/health`);
    expect([plain.status, await plain.text(), plain.headers.get('x-onceflow-build')]).toEqual([200, '{"status":"ok"}', null]);
    for (const path of ['/functions/operator/count/0', '/metrics', '/anything'])
      for (const headers of [{}, { authorization: 'Bearer wrong-token-of-sixteen' }])
        expect((await fetch(address + path, { method: 'POST', headers, body: '{}' })).status, path).toBe(401);
  });

  it('says to who has another one what is wrong', async () => {
    const { address } = await worker(echo, { tokens: [TOKEN] });
    const { invoke, said } = await invoker([address], { token: 'another-token-of-that-kind' });
    expect(said).toEqual([
      `worker ${address} is away: it refuses the token of ONCEFLOW_WORKER_TOKEN_FILE: the first line of that file must be a line of its own`,
    ]);
    expect(messageOf(await invoke())).toContain('it refuses the token of ONCEFLOW_WORKER_TOKEN_FILE');
  });

  it('speaks TLS, and is asked only by who trusts its certificate', async () => {
    const { address } = await worker(echo, { tls: { cert: testCertificate, key: testKey }, tokens: [TOKEN] });
    expect(address).toMatch(/^https:/);
    expect(await (await invoker([address], { token: TOKEN, ca: testCertificate })).invoke()).toMatchObject({ got: {} });
    const { said } = await invoker([address], { token: TOKEN, ca: anotherAuthority });
    expect(said).toEqual([expect.stringMatching(/^worker https:.* is away: .*certificate/)]);
  });
});

/** Something at the address of a worker that looks like one, and answers requests of functions like this. */
async function impostor(respond: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === '/health') response.end(JSON.stringify({ status: 'ok', job: 'word-count', build: 'one' }));
    else respond(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what stands where a worker should', () => {
  it('is followed nowhere: the next worker is asked', async () => {
    const { address } = await worker(named('next'));
    const elsewhere = await impostor((response) => response.writeHead(307, { location: address }).end());
    const { invoke } = await invoker([elsewhere, address]);
    expect(await invoke()).toBe('next');
    expect(messageOf(await (await invoker([elsewhere])).invoke())).toContain('it answers with HTTP status 307, and is no onceflow worker');
  });

  it('and answers with a page of its own fails the attempt in words, and nobody else is asked: it may have been done', async () => {
    const page = await impostor((response) => response.end('<html>'));
    const { invoke } = await invoker([page]);
    expect(messageOf(await invoke())).toContain('it answers with what is no JSON');
  });

  it('and answers without an end is given up when that is too much to be an answer', { timeout: 30_000 }, async () => {
    let sent = 0;
    const endless = await impostor((response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1024 * 1024))) sent++;
        sent++;
        response.once('drain', more);
      };
      more();
    });
    expect(messageOf(await (await invoker([endless])).invoke(operator, 20_000))).toContain('its answer has more than 67108864 bytes');
    expect(sent).toBeLessThan(100);
  });
});

describe('a worker refuses', () => {
  it('a request of another job, of whichever build it says it is', async () => {
    const { address } = await worker(() => Promise.reject(new Error('begun')), { job: 'other' });
    const headers = { 'x-onceflow-timeout-ms': '1000', 'x-onceflow-job': 'word-count' };
    const refused = await fetch(`${address}/functions/operator/count/0`, { method: 'POST', headers, body: '{}' });
    expect([refused.status, await refused.text()]).toEqual([421, 'it is a worker of job other, and this is job word-count']);
    // So says who asks, without being told to.
    const url = parseWorkerUrl(address);
    if (url === undefined) throw new Error('no address of a worker');
    const client = await openWorkerClient(url, { job: 'word-count', token: undefined, ca: undefined });
    onTestFinished(() => client.close());
    const called = await client.call('/functions/operator/count/0', Buffer.from('{}'), 1_000, new AbortController().signal);
    expect(called).toEqual({ outcome: 'not-begun', reason: 'it is a worker of job other, and this is job word-count' });
    // It says it of itself too, before anything is asked of it.
    expect(messageOf(await (await invoker([address])).invoke())).toContain('it is a worker of job other, and this is job word-count');
  });

  it('what no browser asks first, what is no function, and what is too large', async () => {
    const { address } = await worker();
    const post = (path: string, headers: Record<string, string> = {}, body = '{}') =>
      fetch(address + path, { method: 'POST', headers, body });
    const timeout = { 'x-onceflow-timeout-ms': '1000' };
    expect((await post('/functions/operator/count/0')).status).toBe(400);
    expect((await post('/functions/operator/count/x', timeout)).status).toBe(404);
    expect((await fetch(`${address}/functions/operator/count/0`)).status).toBe(404);
    const large = await post('/functions/operator/count/0', timeout, 'x'.repeat(64 * 1024 * 1024 + 1));
    expect([large.status, await large.text()]).toEqual([413, expect.stringContaining('lower ONCEFLOW_INLINE_BLOB_BYTES')]);
  });

  it('new work while it ends, and answers what is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<SocketAnswer>();
    const server = await worker(() => promise);
    const { invoke } = await invoker([server.address]);
    const underWay = invoke();
    await new Promise((wait) => setTimeout(wait, 100));
    const drained = server.drain(10_000);
    expect((await fetch(`${server.address}/health`)).status).toBe(503);
    expect(messageOf(await invoke())).toContain('it ends, and takes no more work');
    resolve({ outcome: 'answered', text: '"done"' });
    expect(await underWay).toBe('done');
    await drained;
    await expect(fetch(`${server.address}/health`)).rejects.toThrow();
  });
});
