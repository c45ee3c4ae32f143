import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLED, installed, pathWithNode } from './installed.ts';
import type { Keeper } from './kept-process.ts';
import { type Service, startService } from './service.ts';

export interface EmulatorService extends Service {
  /** For every AWS client: DynamoDB, S3, Lambda and more at one address. */
  readonly endpoint: string;
}

export const EMULATOR_REGION = 'us-east-1';

/**
 * Starts the AWS emulator. It holds its data in memory; in a folder that is kept, it saves them when it is asked to end
 * (SIGTERM), so a `kill` loses what a real service would not.
 *
 * @param python that of the environment it is installed in
 */
export async function startEmulator(keeper: Keeper, python = INSTALLED.emulatorPython): Promise<EmulatorService> {
  const port = await keeper.takePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const dir = join(keeper.dir, 'emulator');
  mkdirSync(dir, { recursive: true });
  const service = await startService(
    keeper,
    {
      name: 'emulator',
      command: installed('emulator', python),
      args: ['-m', 'ministack'],
      env: {
        // Its functions get their parameters from their deployment, and nothing from here.
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ONCEFLOW_|AWS_|NODE_COMPILE_CACHE$)/.test(name))),
        PATH: pathWithNode(),
        TMPDIR: dir,
        GATEWAY_PORT: String(port),
        EDGE_PORT: String(port),
        BIND_HOST: '127.0.0.1',
        MINISTACK_HOST: '127.0.0.1',
        MINISTACK_REGION: EMULATOR_REGION,
        LAMBDA_EXECUTOR: 'local',
        LOG_LEVEL: 'WARNING',
        PERSIST_STATE: keeper.keepsDir ? '1' : '0',
        STATE_DIR: join(dir, 'state'),
        S3_PERSIST: keeper.keepsDir ? '1' : '0',
        S3_DATA_DIR: join(dir, 's3'),
      },
    },
    () => answers(`${endpoint}/_ministack/health`),
  );
  return { ...service, endpoint };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
