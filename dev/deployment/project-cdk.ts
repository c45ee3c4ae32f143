import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EMULATED_BROKERS, EMULATED_JOB, type EmulatedJob } from '../../lib/config/emulated.ts';
import { UsageError } from '../../lib/config/usage-error.ts';

const SHOWN_LINES = 15;

export interface ProjectCdkOptions {
  /** The project: where cdk.json is. */
  readonly project: string;
  /** For what it makes. */
  readonly folder: string;
  /** Of the commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A stack of the app, as it was synthesised. */
export interface AppStack {
  readonly name: string;
  /** `aws://account/region`, where the app names them; either may be `unknown-…`. */
  readonly environment: string;
  readonly jobs: readonly EmulatedJob[];
}

/** A job, and what the deployment has made for it. */
export interface DeployedJob extends EmulatedJob {
  readonly table: string;
  /** `s3://bucket` */
  readonly blobs: string;
}

/** The project's own command line of the CDK, on its own app. */
export interface ProjectCdk {
  /** Only the app runs: nothing has to be there. */
  synth(brokers: string): Promise<readonly AppStack[]>;
  /** Makes an account ready for deployments. */
  bootstrap(environment: string): Promise<void>;
  /** What was synthesised. */
  deploy(stacks: readonly AppStack[]): Promise<readonly DeployedJob[]>;
}

/** @throws UsageError: the project has no app, or no command line of the CDK */
export function projectCdk({ project, folder, env }: ProjectCdkOptions): ProjectCdk {
  if (!existsSync(join(project, 'cdk.json')))
    throw new UsageError(`there is no cdk.json in ${project}: what is deployed is the CDK app of a project ("onceflow init" makes one)`);
  const cdk = cdkOf(project);
  const assembly = join(folder, 'cdk.out');
  const outputs = join(folder, 'outputs.json');
  const run = (args: readonly string[], cwd = project) => runCdk(cdk, args, { cwd, env });
  return {
    async synth(brokers) {
      await run(['synth', '--quiet', '--output', assembly, '--context', `${EMULATED_BROKERS}=${brokers}`]);
      return stacksIn(assembly);
    },
    // Away from cdk.json, whose app would be asked for its accounts.
    bootstrap: (environment) => run(['bootstrap', environment], folder),
    async deploy(stacks) {
      const names = stacks.map(({ name }) => name);
      await run(['deploy', ...names, '--app', assembly, '--require-approval', 'never', '--outputs-file', outputs]);
      const made = JSON.parse(readFileSync(outputs, 'utf8')) as Record<string, Record<string, string>>;
      return stacks.flatMap(({ name, jobs }) => jobs.map((job) => deployedJob(job, made[name] ?? {})));
    },
  };
}

function cdkOf(project: string): string {
  try {
    return createRequire(join(project, 'package.json')).resolve('aws-cdk/bin/cdk');
  } catch {
    throw new UsageError(`the CDK's command line is not installed in ${project}: npm install --save-dev aws-cdk`);
  }
}

function deployedJob(job: EmulatedJob, outputs: Readonly<Record<string, string>>): DeployedJob {
  const value = (name: string): string => {
    const found = outputs[name];
    if (found === undefined) throw new Error(`the deployment of job ${job.name} has no output ${name}`);
    return found;
  };
  return { ...job, table: value(job.outputs.table), blobs: value(job.outputs.blobs) };
}

interface Manifest {
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string };
}

/** The app's own stacks; those of a `Stage` are in an assembly of their own, and left out. */
function stacksIn(assembly: string): AppStack[] {
  const read = (file: string) => JSON.parse(readFileSync(join(assembly, file), 'utf8')) as unknown;
  const { artifacts = {} } = read('manifest.json') as Manifest;
  return Object.entries(artifacts).flatMap(([id, { type, environment = '', properties = {} }]) => {
    if (type !== 'aws:cloudformation:stack' || properties.templateFile === undefined) return [];
    return [{ name: properties.stackName ?? id, environment, jobs: jobsIn(read(properties.templateFile)) }];
  });
}

function jobsIn(template: unknown): EmulatedJob[] {
  const { Resources: resources = {} } = template as { Resources?: Record<string, { Metadata?: Record<string, unknown> }> };
  return Object.values(resources).flatMap(({ Metadata: metadata }) => {
    const job = metadata?.[EMULATED_JOB] as EmulatedJob | undefined;
    return job === undefined ? [] : [job];
  });
}

async function runCdk(
  cdk: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const child = spawn(process.execPath, [cdk, ...args, '--no-notices', '--no-color'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      said += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new UsageError(`cdk ${args[0]} ended with ${code}: ${reasonIn(said)}`);
}

/** The error that ended the app, without where it was thrown; else the last lines. */
export function reasonIn(said: string): string {
  const [, , error] = /^(Uncaught )?((?:[A-Z]\w*)?Error: [^\n]*(?:\n(?!\s+at |Node\.js v|\s*$|\S+: Subprocess)[^\n]*)*)/m.exec(said) ?? [];
  return error ?? said.trim().split('\n').slice(-SHOWN_LINES).join('\n');
}
