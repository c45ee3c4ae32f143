import { GetFunctionConfigurationCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { systemClock } from '../../host/system.ts';
import { createDynamoDbClient, createLambdaClient } from '../../lib/aws/clients.ts';
import { createEpochStore } from '../../lib/aws/dynamo-epoch-store.ts';
import { startCoordinator } from '../../lib/aws/start-coordinator.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import { type Cdk, createCdk, type Outputs, type Parameters } from '../../local/deploy/cdk.ts';
import { functionProcesses } from '../../local/deploy/function-processes.ts';
import { openStack } from '../../local/stack/stack.ts';
import { type CommandRun, onceflow } from './onceflow.ts';
import { waitFor } from './wait-for.ts';

/** The CDK's command line on the tests' stack, bootstrapped. */
export async function bootstrappedCdk(): Promise<Cdk> {
  const cdk = createCdk(await openStack({}, { ...process.env, ONCEFLOW_STACK: 'external' }));
  await cdk.bootstrap();
  return cdk;
}

/** A job on the emulator's Lambda. */
export class DeployedJob {
  readonly name: string;
  outputs: Outputs;
  readonly #cdk: Cdk;
  readonly #parameters: Parameters;

  private constructor(cdk: Cdk, name: string, parameters: Parameters, outputs: Outputs) {
    this.#cdk = cdk;
    this.name = name;
    this.#parameters = parameters;
    this.outputs = outputs;
  }

  static async deploy(cdk: Cdk, name: string, parameters: Parameters): Promise<DeployedJob> {
    const all = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_JOB_NAME: name, ONCEFLOW_STARTING_OFFSETS: 'earliest', ...parameters };
    return new DeployedJob(cdk, name, all, await cdk.deploy(all));
  }

  /** Deploys the same job with other parameters, over the one that runs. */
  async change(parameters: Parameters): Promise<void> {
    this.outputs = await this.#cdk.deploy({ ...this.#parameters, ...parameters });
  }

  /** An explicit start; returns when its coordinator has taken the lease. */
  async start(): Promise<void> {
    const before = (await this.row())?.generation ?? 0;
    await startCoordinator(createLambdaClient(), this.outputs.coordinator, systemClock);
    await waitFor(`a coordinator of ${this.name}`, async () => ((await this.row())?.generation ?? 0) > before);
  }

  row(): Promise<JobRow | undefined> {
    return createEpochStore({ client: createDynamoDbClient(), table: this.outputs.table }).readJob(this.name);
  }

  /** Kills the processes that run a function now; answers how many. */
  async kill(functionName: string): Promise<number> {
    const processes = (await functionProcesses(this.name)).filter(({ name }) => name === functionName);
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    return processes.length;
  }

  /** Has one function run another build than the rest, as in the middle of an update. */
  async changeBuild(functionName: string, buildId: string): Promise<void> {
    const client = createLambdaClient();
    const { Environment } = await client.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    const Variables = { ...Environment?.Variables, ONCEFLOW_BUILD_ID: buildId };
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: functionName, Environment: { Variables } }));
  }

  /** The operator's command, on this job. */
  command(...args: readonly string[]): Promise<CommandRun> {
    const aws = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_') || name === 'PATH');
    const env = {
      ...(Object.fromEntries(aws) as Record<string, string>),
      ONCEFLOW_BROKERS: process.env['ONCEFLOW_BROKERS'] ?? '',
      ONCEFLOW_TABLE: this.outputs.table,
      ONCEFLOW_BLOBS: this.outputs.blobs,
    };
    return onceflow(env, ...args, '--job', this.name);
  }

  /** Takes the deployment away, and leaves what it retains. */
  async withdraw(): Promise<void> {
    await this.#cdk.destroy(this.#parameters);
  }

  /** Gives the job up, with everything that it kept, and takes the deployment away. */
  async destroy(): Promise<void> {
    const cancelled = await this.command('cancel', '--retention', 'delete');
    if (cancelled.code !== 0) throw new Error(`cancel ended with ${cancelled.code}: ${cancelled.stdout}${cancelled.stderr}`);
    await this.#cdk.destroy(this.#parameters);
  }
}
