import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INSTALLED, installed } from './installed.ts';
import type { Keeper } from './kept-process.ts';
import { accepts, type Service, startService } from './service.ts';

export interface ClickHouseService extends Service {
  readonly url: string;
}

const SERVER = fileURLToPath(new URL('../clickhouse/serve.py', import.meta.url));

/** Starts ClickHouse's engine behind HTTP. What it has is in the keeper's folder, and is there again after a restart. */
export async function startClickHouse(keeper: Keeper): Promise<ClickHouseService> {
  const port = await keeper.takePort();
  const service = await startService(
    keeper,
    {
      name: 'clickhouse',
      command: installed('clickhouse', INSTALLED.clickhousePython),
      args: [SERVER, String(port), join(keeper.dir, 'clickhouse')],
      env: process.env,
    },
    () => accepts(port),
  );
  return { ...service, url: `http://127.0.0.1:${port}` };
}
