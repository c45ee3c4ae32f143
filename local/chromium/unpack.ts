/**
 * `unpack.ts folder`: makes Chromium of the tarball in that folder, with the libraries and the font that a bare machine lacks. Beside it there
 * is nothing of the package that is run.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const { integrity } = JSON.parse(readFileSync(new URL('chromium.json', import.meta.url), 'utf8')) as { readonly integrity: string };
const [folder = '.'] = process.argv.slice(2);
const [tarball = ''] = globSync('*.tgz', { cwd: folder });

const found = `sha512-${createHash('sha512')
  .update(readFileSync(join(folder, tarball)))
  .digest('base64')}`;
if (found !== integrity) throw new Error(`${tarball} has ${found} and not ${integrity}: it is not the one that was tried`);
tar(['-xzf', tarball, 'package/bin']);
const unpacked = (name: string) => brotliDecompressSync(readFileSync(join(folder, 'package/bin', `${name}.br`)));
writeFileSync(join(folder, 'chromium'), unpacked('chromium'), { mode: 0o755 });
for (const part of ['al2023', 'fonts']) {
  mkdirSync(join(folder, part));
  tar(['-x', '-C', part], unpacked(`${part}.tar`));
}
for (const left of [tarball, 'package']) rmSync(join(folder, left), { recursive: true });

function tar(args: readonly string[], input?: Buffer): void {
  const { status, stderr, error } = spawnSync('tar', args, { cwd: folder, input });
  if (status !== 0) throw error ?? new Error(String(stderr));
}
