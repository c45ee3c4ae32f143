import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConsoleDeps } from '../../../console/server/deps.ts';
import { type ConsoleServer, serveConsole } from '../../../console/server/serve.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { epochRowOf, jobRowOf } from '../cli/rows.ts';
import { consoleDeps } from './deps.ts';

let server: ConsoleServer | undefined;
afterEach(() => server?.close());

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A console, and what asks it as its page does; `change` says what is otherwise. */
async function opened(deps: ConsoleDeps) {
  server = await serveConsole(deps, 0, (error) => (error instanceof Error ? error.message : String(error)));
  const { origin, host, port, hash } = new URL(server.address);
  const own = { host, origin, authorization: `Bearer ${hash.slice(1)}`, 'sec-fetch-site': 'same-origin' };
  const ask = (method: string, path: string, change: Record<string, string | undefined> = {}, body = ''): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(Object.entries({ ...own, ...change }).filter(([, value]) => value !== undefined));
      const sent = request({ host: '127.0.0.1', port, method, path, headers: headers as Record<string, string> }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const panel = async (name: string) => JSON.parse((await ask('GET', `/panels/${name}`)).text) as { is: string; of: unknown; why: string };
  const act = (name: string, body: object, change: Record<string, string | undefined> = {}) =>
    ask('POST', `/actions/${name}`, { 'x-onceflow-console': 'act', 'content-type': 'application/json', ...change }, JSON.stringify(body));
  return { ask, panel, act, address: server.address };
}

describe('the console of a job', () => {
  it('listens on this machine alone, with a token of its own each time', async () => {
    const one = await opened(consoleDeps());
    await server?.close();
    const other = await opened(consoleDeps());
    for (const { address } of [one, other]) expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{43}$/);
    expect(one.address.split('#')[1]).not.toBe(other.address.split('#')[1]);
  });

  it('serves its page, its modules in JavaScript and its libraries, and what these import is there', async () => {
    const { ask } = await opened(consoleDeps());
    const seen = new Set<string>();
    const follow = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const { status, text, headers } = await ask('GET', path);
      expect({ path, status }).toEqual({ path, status: 200 });
      const type = `${headers['content-type']}`;
      const named =
        type.startsWith('text/html') === true
          ? [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, url]) => url)
          : type.startsWith('text/javascript')
            ? [...text.matchAll(/\b(?:from|import)\s*["']([./a-z][^"'\s]*)["']/g)].map(([, url]) => url)
            : [];
      for (const url of named) await follow(new URL(url ?? '', `http://console${path}`).pathname);
    };
    await follow('/');
    expect([...seen]).toEqual(expect.arrayContaining(['/library/preact.js', '/library/htm.js', '/library/uplot.js', '/library/uplot.css']));
    expect(seen.size).toBeGreaterThan(20);
  });

  it('has no script, no style and no address of another host in its HTML, and says so to the browser', async () => {
    const { ask } = await opened(consoleDeps());
    const { text, headers } = await ask('GET', '/');
    expect(text).not.toMatch(/<style|<script[^>]*>[^<]|\son\w+=|style=|https?:\/\//);
    const policy = `${headers['content-security-policy']}`;
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|http/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each([
    '/../package.json',
    '/page/../server/guard.ts',
    '/page/../../package.json',
    '/page/%2e%2e/x.js',
    '/page/index.html',
    '/library/vitest.js',
    '/.env',
    '/page//main.js',
  ])('serves no other file: %s', async (path) => {
    const { ask } = await opened(consoleDeps());
    expect((await ask('GET', path)).status).toBe(404);
  });

  it('answers each panel for itself: with brokers that are away the job and its epochs are there', async () => {
    const { panel } = await opened(consoleDeps());
    expect(await panel('job')).toMatchObject({ is: 'known', of: { status: { job: 'word-count', standing: 'running', lastCompleted: 9 } } });
    expect(await panel('epochs')).toMatchObject({ is: 'known', of: { epochs: [{ epoch: 9, recordsIn: 100 }] } });
    expect(await panel('state')).toMatchObject({ is: 'known', of: { operators: [] } });
    for (const name of ['lag', 'transactions'])
      expect(await panel(name)).toEqual({ is: 'unknown', why: 'no broker of 127.0.0.1:9 answers' });
    expect(await panel('letters')).toMatchObject({ is: 'none', why: expect.stringContaining('ONCEFLOW_DEAD_LETTER_TOPIC') });
    expect(await panel('keys')).toMatchObject({ is: 'none', why: expect.stringContaining('ONCEFLOW_JOB') });
  });

  it('gives a page that has epochs those behind them', async () => {
    const { ask } = await opened(consoleDeps({ row: jobRowOf(), epochs: [7, 8, 9].map((epoch) => epochRowOf(epoch)) }));
    const behind = async (query: string) => {
      const { of } = JSON.parse((await ask('GET', `/panels/epochs${query}`)).text) as { of: { epochs: { epoch: number }[] } };
      return of.epochs.map(({ epoch }) => epoch);
    };
    expect(await behind('')).toEqual([7, 8, 9]);
    expect(await behind('?after=8')).toEqual([9]);
    expect(await behind('?after=nonsense')).toEqual([7, 8, 9]);
  });

  it('of a job that there is not says so, and how it may be otherwise', async () => {
    const { panel } = await opened(consoleDeps({ row: undefined }));
    for (const name of ['job', 'epochs', 'lag', 'transactions', 'state'])
      expect(await panel(name)).toMatchObject({
        is: 'none',
        why: expect.stringMatching(/no job word-count in table onceflow.*ONCEFLOW_TABLE/),
      });
  });

  it('of a table that is none, or that it may not read, says what the store said', async () => {
    const why = 'DynamoDB table nowhere does not exist (ONCEFLOW_TABLE)';
    const deps = consoleDeps();
    const refusing = async () => {
      throw new StoreProblem(why, false);
    };
    const { panel } = await opened({ ...deps, epochs: { ...deps.epochs, readJob: refusing, listSavepoints: refusing } });
    for (const name of ['job', 'epochs', 'lag', 'state', 'savepoints']) expect(await panel(name)).toEqual({ is: 'unknown', why });
  });

  it('waits for what does not answer for 20 s, asks it once for all who ask meanwhile, and leaves no timer behind what does', async () => {
    let [asked, waits] = [0, 0];
    const late = Promise.withResolvers<void>();
    const sleep = (ms: number, signal?: AbortSignal) => {
      waits++;
      signal?.addEventListener('abort', () => waits--, { once: true });
      return ms === 20_000 ? late.promise : Promise.resolve();
    };
    const deps = consoleDeps();
    const { panel } = await opened({
      ...deps,
      clock: { ...deps.clock, sleep },
      kafka: () => {
        asked++;
        return new Promise(() => undefined);
      },
    });
    await panel('job');
    expect(waits).toBe(0);
    const both = [panel('lag'), panel('lag')];
    await expect.poll(() => waits).toBe(2);
    late.resolve();
    for (const each of both) expect(await each).toEqual({ is: 'unknown', why: 'no answer within 20 s' });
    expect({ asked, waits }).toEqual({ asked: 1, waits: 0 });
  });

  it('knows no other panel and no other action, and acts on no GET', async () => {
    const { ask, act } = await opened(consoleDeps());
    expect((await ask('GET', '/panels/secrets')).status).toBe(404);
    expect((await ask('GET', '/panels/__proto__')).status).toBe(404);
    expect((await act('cancel', {})).status).toBe(404);
    expect((await ask('GET', '/actions/stop')).status).toBe(405);
    expect((await ask('POST', '/panels/job')).status).toBe(405);
  });
});

describe('an action of the console', () => {
  const acting = (calls: string[][] = []) =>
    consoleDeps(undefined, {
      act: async (call) => {
        calls.push([...call]);
        return { is: 'done', text: 'it is stopped' };
      },
    });

  it('is done by the command of that name, and its answer is shown', async () => {
    const calls: string[][] = [];
    const { act } = await opened(acting(calls));
    expect(JSON.parse((await act('stop', {})).text)).toEqual({ is: 'done', text: 'it is stopped' });
    expect(JSON.parse((await act('savepoint', { name: 'one' })).text)).toEqual({ is: 'done', text: 'it is stopped' });
    expect(calls).toEqual([['stop'], ['savepoint', 'create', 'one']]);
  });

  it.each<[string, Record<string, string | undefined>, number]>([
    [
      'from another page, as a form sends it',
      { origin: 'https://evil.example', 'content-type': 'text/plain', authorization: undefined },
      403,
    ],
    ['from another page that knows the token', { origin: 'https://evil.example' }, 403],
    ['from another site, as the browser says', { 'sec-fetch-site': 'cross-site' }, 403],
    ['by a name that was made to lead here', { host: 'evil.example:80', origin: 'http://evil.example:80' }, 421],
    ['without a token', { authorization: undefined }, 401],
    ['with another token', { authorization: 'Bearer guessed' }, 401],
    ['without the header that only a script of the page sends', { 'x-onceflow-console': undefined }, 403],
    ['without an origin', { origin: undefined }, 403],
    ['as something else than JSON', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ])('asked for %s is not done', async (_how, change, status) => {
    const calls: string[][] = [];
    const { act } = await opened(acting(calls));
    expect((await act('stop', {}, change)).status).toBe(status);
    expect(calls).toEqual([]);
  });

  it('is asked before: a request of another origin gets no leave from the browser', async () => {
    const { ask } = await opened(acting());
    const { status, headers } = await ask('OPTIONS', '/actions/stop', {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('that is none, or larger than any is, is refused with why', async () => {
    const calls: string[][] = [];
    const { act } = await opened(acting(calls));
    expect(JSON.parse((await act('savepoint', { name: '../x' })).text)).toMatchObject({
      is: 'refused',
      text: expect.stringContaining('name: '),
    });
    expect(JSON.parse((await act('savepoint', { name: 'x'.repeat(5_000) })).text)).toMatchObject({ is: 'refused' });
    expect(calls).toEqual([]);
  });

  it('waits for no second one: while one is under way the next is refused', async () => {
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { act } = await opened(
      consoleDeps(undefined, {
        act: async () => {
          begun.resolve();
          await ended.promise;
          return { is: 'done', text: '' };
        },
      }),
    );
    const first = act('stop', {});
    await begun.promise;
    expect(JSON.parse((await act('resume', {})).text)).toEqual({
      is: 'refused',
      text: '"onceflow stop" is under way still: nothing was done',
    });
    ended.resolve();
    expect(JSON.parse((await first).text)).toEqual({ is: 'done', text: '' });
  });

  it('that fails says why, and the next one may be asked for', async () => {
    const { act } = await opened(
      consoleDeps(undefined, {
        act: async () => {
          throw new Error('the broker is away');
        },
      }),
    );
    for (let again = 0; again < 2; again++)
      expect(JSON.parse((await act('stop', {})).text)).toEqual({ is: 'failed', text: 'the broker is away' });
  });

  it('is not done by a console that only reads', async () => {
    const { act, panel } = await opened(consoleDeps());
    expect(JSON.parse((await act('stop', {})).text)).toMatchObject({ is: 'refused' });
    expect(await panel('job')).toMatchObject({ of: { actions: false } });
  });
});
