import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What a function process is made of, besides packages and the job. */
const ROOMS = ['lib', 'host', 'functions', 'local/functions'];
/** Beside the packages, from where the bundle finds those that are not in it. */
const CACHE = join(ROOT, 'node_modules/.cache/onceflow-functions');

/**
 * The file to start a function process with, in this environment: `child.ts` and the engine as they are now in this checkout, made
 * into a few files, because most of a start is finding and opening several hundred. Made when a source has changed, in a second.
 */
export async function bundledChild(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  // A module that is loaded before works on the clients that it imports: they must be the ones that the function uses.
  const clients = /(^|\s)--import\b/.test(env['NODE_OPTIONS'] ?? '') ? 'outside' : 'inside';
  const folder = join(CACHE, `${keyOfSources()}-clients-${clients}`);
  if (!existsSync(folder)) {
    const { writeFunctions } = await import('./write-functions.ts');
    writeFunctions({ root: ROOT, folder, clients });
  }
  return join(folder, 'child.mjs');
}

/** By when the files were written and how long they are. */
function keyOfSources(): string {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
  );
  const hash = createHash('sha256').update(`${ROOT}\n${process.version}\n`);
  for (const file of ['package-lock.json', ...files.filter((name) => name.endsWith('.ts')).sort()]) {
    const { mtimeMs, size } = statSync(join(ROOT, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex').slice(0, 20);
}
