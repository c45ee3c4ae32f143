/** `npm run docs:serve`: see USAGE. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../lib/config/usage-error.ts';
import { runCommand } from '../local/command.ts';
import { ROOT } from './pages.ts';
import { DEFAULT_PORT, portIn, serve } from './serve.ts';

const USAGE = `npm run docs:serve [-- --port PORT]

Shows the documentation as it was built last (npm run docs:site), at 127.0.0.1, until Ctrl-C. It needs no network.

  --port PORT       where (${DEFAULT_PORT})`;

const DIST = join(ROOT, 'site', 'dist');

await runCommand({ name: 'npm run docs:serve', usage: USAGE, options: { port: { type: 'string' } } }, async ({ port }) => {
  const where = portIn(port);
  if (!existsSync(join(DIST, 'index.html'))) throw new UsageError('the site is not built yet: npm run docs:site builds it');
  console.error(`${await serve(DIST, where)}/, until Ctrl-C`);
  return new Promise(() => {});
});
