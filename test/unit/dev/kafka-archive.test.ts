import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fetchArchive } from '../../../dev/broker/kafka-archive.ts';

const root = mkdtempSync(join(tmpdir(), 'onceflow-archive-'));
const NAME = 'kafka_2.13-4.3.1';
const archive = join(root, `${NAME}.tgz`);
let address = '';
let bytes = Buffer.alloc(0);

/** As GnuPG prints it: groups of eight, several in a line. */
const gnupg = (sum: string) =>
  `${NAME}.tgz: ${sum
    .toUpperCase()
    .match(/.{8}/g)
    ?.map((group, at) => (at % 6 === 5 ? `${group}\n   ` : group))
    .join(' ')}\n`;
const sha512 = (of: Buffer) => createHash('sha512').update(of).digest('hex');

const served: Record<string, () => string | Buffer> = {
  '/right.tgz': () => bytes,
  '/right.tgz.sha512': () => gnupg(sha512(bytes)),
  '/plain.tgz': () => bytes,
  '/plain.tgz.sha512': () => `${sha512(bytes)}  plain.tgz\n`,
  '/damaged.tgz': () => bytes.subarray(0, -3),
  '/damaged.tgz.sha512': () => gnupg(sha512(bytes)),
};
const server = createServer((request, response) => {
  const body = served[request.url ?? '']?.();
  response.writeHead(body === undefined ? 404 : 200).end(body);
});

beforeAll(async () => {
  for (const folder of ['libs', 'bin']) mkdirSync(join(root, NAME, folder), { recursive: true });
  writeFileSync(join(root, NAME, 'libs/kafka.jar'), 'classes');
  writeFileSync(join(root, NAME, 'bin/kafka.sh'), 'script');
  expect(spawnSync('tar', ['-czf', archive, '-C', root, NAME]).status).toBe(0);
  bytes = readFileSync(archive);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

function into(name: string): string {
  const folder = join(root, `into-${name}`, 'lib');
  mkdirSync(folder, { recursive: true });
  return folder;
}

it.each(['right', 'plain'])('an archive whose sum is %s is unpacked: its libraries, and nothing else of it is left', async (name) => {
  const libs = into(name);
  await fetchArchive(`${address}/${name}.tgz`, libs, () => {});
  expect(readdirSync(libs)).toEqual(['kafka.jar']);
  expect(readdirSync(join(libs, '..'))).toEqual(['lib']);
});

it('an archive (ONCEFLOW_KAFKA_ARCHIVE) that was damaged on the way, is not there, or cannot be reached, is said with its address', async () => {
  const libs = into('wrong');
  const fetchFrom = (url: string) => fetchArchive(url, libs, () => {});
  await expect(fetchFrom(`${address}/damaged.tgz`)).rejects.toThrow(
    `${address}/damaged.tgz is not what its .sha512 says: it was damaged on the way`,
  );
  await expect(fetchFrom(`${address}/none.tgz`)).rejects.toThrow(`${address}/none.tgz.sha512 was answered 404 Not Found`);
  await expect(fetchFrom('http://127.0.0.1:9/kafka.tgz')).rejects.toThrow(
    /^http:\/\/127\.0\.0\.1:9\/kafka\.tgz\.sha512 cannot be reached: /,
  );
  expect(readdirSync(libs)).toEqual([]);
});
