import type { ConfigOf } from '../lib/config/parameters.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';

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
