import { coordinatorName } from '../lib/config/function-names.ts';
import type { Config, ConfigOf } from '../lib/config/parameters.ts';
import type { StartAt } from '../lib/epoch/start/start-at.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';
import { systemClock } from './system.ts';

/** Stages as the functions of this deployment. */
export async function openLambdaInvoker(
  { config, job }: { readonly config: ConfigOf<'host'>; readonly job: { readonly name: string } },
  throttled: (functionName: string) => void,
): Promise<FunctionInvoker> {
  const [{ createLambdaClient }, { createLambdaInvoker }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/lambda-invoker.ts'),
  ]);
  return createLambdaInvoker({ client: createLambdaClient(), prefix: config.functionPrefix ?? job.name, throttled });
}

/** Asks for an explicit start of a deployed job. Answers which function was asked; it runs, or refuses, after that. */
export async function startDeployed({ functionPrefix }: Pick<Config, 'functionPrefix'>, job: string, at?: StartAt): Promise<string> {
  const [{ createLambdaClient }, { startCoordinator }] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/start-coordinator.ts'),
  ]);
  const name = coordinatorName(functionPrefix ?? job);
  const client = createLambdaClient();
  try {
    await startCoordinator(client, name, systemClock, at);
  } finally {
    client.destroy();
  }
  return name;
}
