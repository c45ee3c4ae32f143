import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pathWithNode } from '../stack/installed.ts';
import type { Stack } from '../stack/stack.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
/** The emulator's only account. */
const ACCOUNT = '000000000000';
const SHOWN_CHARACTERS = 4_000;

/** ONCEFLOW_… of the job to deploy. */
export type Parameters = Readonly<Record<string, string>>;

export interface Outputs {
  readonly stackName: string;
  readonly table: string;
  /** `s3://bucket` */
  readonly blobs: string;
  readonly coordinator: string;
  readonly buildId: string;
}

/** The CDK's own command line, on the AWS of a local stack. */
export interface Cdk {
  /** Makes the account ready for deployments. Once for each stack. */
  bootstrap(): Promise<void>;
  /** Makes the deployment of a job, or changes it in place. */
  deploy(parameters: Parameters): Promise<Outputs>;
  destroy(parameters: Parameters): Promise<void>;
  /** Removes what the commands left on this machine. */
  close(): void;
}

export function createCdk(stack: Stack): Cdk {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-cdk-'));
  stack.removeAtEnd(folder);
  const outputsFile = join(folder, 'outputs.json');
  const run = (args: readonly string[], parameters: Parameters = {}, cwd = ROOT) =>
    runCdk(args, environmentOf(stack, folder, parameters), cwd);
  const app = ['--output', join(folder, 'cdk.out')];
  return {
    // Away from cdk.json, whose app wants a job.
    bootstrap: () => run(['bootstrap', `aws://${ACCOUNT}/${stack.env['AWS_REGION']}`], {}, folder),
    async deploy(parameters) {
      await run(['deploy', '--require-approval', 'never', '--outputs-file', outputsFile, ...app], parameters);
      return outputsOf(readFileSync(outputsFile, 'utf8'));
    },
    destroy: (parameters) => run(['destroy', '--force', ...app], parameters),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function environmentOf(stack: Stack, folder: string, parameters: Parameters): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ONCEFLOW_'));
  return {
    ...Object.fromEntries(others),
    ...stack.env,
    AWS_ENDPOINT_URL_S3: stack.aws.endpoint,
    PATH: pathWithNode(),
    CDK_HOME: folder,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CI: 'true',
    ONCEFLOW_BROKERS: stack.kafka.bootstrap,
    // Functions are processes of this machine, and go with its stack.
    ONCEFLOW_ARCHITECTURE: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    ONCEFLOW_REMOVAL: 'destroy',
    // The emulator takes no alarm on an expression.
    ONCEFLOW_MONITORING: 'off',
    ...parameters,
  };
}

async function runCdk(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<void> {
  const child = spawn(process.execPath, [CDK, ...args, '--no-notices', '--no-color'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      said = (said + text).slice(-SHOWN_CHARACTERS);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`cdk ${args[0]} ended with ${code}:\n${said}`);
}

function outputsOf(json: string): Outputs {
  const [[stackName, values] = ['', {}]] = Object.entries(JSON.parse(json) as Record<string, Record<string, string>>);
  const value = (name: string): string => {
    const found = Object.entries(values).find(([key]) => key.startsWith(`Job${name}`))?.[1];
    if (found === undefined) throw new Error(`the deployment has no output ${name}: ${json}`);
    return found;
  };
  return {
    stackName,
    table: value('TableName'),
    blobs: value('BlobsLocation'),
    coordinator: value('CoordinatorName'),
    buildId: value('BuildId'),
  };
}
