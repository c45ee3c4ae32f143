import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { portIn, serve } from '../../../site/serve.ts';

let address = '';

beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), 'onceflow-site-'));
  const folder = join(root, 'dist');
  mkdirSync(join(folder, 'docs'), { recursive: true });
  writeFileSync(join(root, 'secret.txt'), 'outside');
  for (const [name, text] of [
    ['index.html', 'the start'],
    ['404.html', 'there is none'],
    ['docs/index.html', 'the list'],
    ['docs/state.html', 'state'],
    ['docs/a.js', 'export {}'],
    ['docs/a.png', 'picture'],
  ])
    writeFileSync(join(folder, name ?? ''), text ?? '');
  address = await serve(folder, 0);
  return () => rmSync(root, { recursive: true });
});

/** As it is: `fetch` would resolve the dots. */
function get(path: string): Promise<readonly [status: number | undefined, type: string | undefined, text: string]> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve([response.statusCode, response.headers['content-type'], text]));
    });
    asked.on('error', reject).end();
  });
}

it('the site is shown on this machine alone', () => {
  expect(new URL(address).hostname).toBe('127.0.0.1');
});

it.each([
  ['/', 'text/html; charset=utf-8', 'the start'],
  ['/docs/', 'text/html; charset=utf-8', 'the list'],
  ['/docs/state.html?a=1', 'text/html; charset=utf-8', 'state'],
  ['/docs/a.js', 'text/javascript; charset=utf-8', 'export {}'],
  ['/docs/a.png', 'image/png', 'picture'],
])('%s of the site is %s', async (path, type, text) => {
  expect(await get(path)).toEqual([200, type, text]);
});

it.each(['/nothing.html', '/docs', '/../secret.txt', '/%2e%2e/secret.txt', '/docs/%2e%2e%2f%2e%2e%2fsecret.txt', '/%E0', '/a%00b'])(
  '%s is no page of the site, and it says so and goes on',
  async (path) => {
    expect(await get(path)).toEqual([404, 'text/html; charset=utf-8', 'there is none']);
    expect((await get('/'))[0]).toBe(200);
  },
);

it('a port is a number up to 65535', () => {
  expect([portIn(), portIn('0')]).toEqual([4173, 0]);
  for (const wrong of ['', '-1', '65536', 'http']) expect(() => portIn(wrong)).toThrow('it must be a port');
});
