import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { INSTALLED, installed } from './installed.ts';
import type { Keeper } from './kept-process.ts';
import { type Service, startService } from './service.ts';

export interface PostgreSqlService extends Service {
  /** `postgresql://…`: any client's. */
  readonly url: string;
  /** What PostgreSQL's own client prints of it: a line for each row, its columns parted by `|`. */
  psql(query: string): Promise<string[]>;
  /** Stopped without a checkpoint, as by a crash, and started: what was committed comes back from its log. */
  crash(): Promise<void>;
  /** Ends it in order: every connection is closed. */
  close(): Promise<void>;
}

const SERVER = fileURLToPath(new URL('../postgresql/serve.py', import.meta.url));
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
const run = promisify(execFile);
const yes = () => true;
const no = () => false;

/** Starts PostgreSQL, with what it has in a folder that is removed when the keeper ends. */
export async function startPostgreSql(keeper: Keeper): Promise<PostgreSqlService> {
  const port = await keeper.takePort();
  const binaries = installed('postgresql', INSTALLED.postgresqlBinaries);
  // Not in the keeper's folder, which is its owner's alone: PostgreSQL may run as another user.
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-postgresql-'));
  keeper.removeAtEnd(folder);
  const service = await startService(
    keeper,
    {
      name: 'postgresql',
      command: installed('postgresql', INSTALLED.postgresqlPython),
      args: [SERVER, binaries, String(port), folder],
      env: process.env,
    },
    // It listens before it has come through its log.
    () => run(join(binaries, 'pg_isready'), ['--host=127.0.0.1', `--port=${port}`]).then(yes, no),
  );
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  return {
    ...service,
    url,
    async psql(query) {
      const args = [url, '--no-psqlrc', '--tuples-only', '--no-align', '--quiet', '--set=ON_ERROR_STOP=1', '--command', query];
      const { stdout } = await run(join(binaries, 'psql'), args, { maxBuffer: MOST_OUTPUT_BYTES });
      return stdout.split('\n').slice(0, -1);
    },
    async crash() {
      await service.kill('SIGQUIT');
      await service.restart();
    },
    close: () => service.kill('SIGINT'),
  };
}
