import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock } from '../ports/clock.ts';
import { problemOf } from './aws-problem.ts';

/**
 * An explicit start of a deployed job, asked for now: returns when Lambda has taken it, not when the coordinator runs. Throws a
 * `StoreProblem` that says what to change. @param at what the function is told of where to start, if that is not the last epoch
 */
export async function startCoordinator(
  client: LambdaClient,
  functionName: string,
  { now }: Pick<Clock, 'now'>,
  at?: object,
): Promise<void> {
  const payload = { ask: 'start', askedAt: new Date(now()).toISOString(), ...(at !== undefined && { at }) };
  const command = new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: JSON.stringify(payload) });
  try {
    await client.send(command);
  } catch (error) {
    throw await problemOf(
      error,
      {
        service: 'Lambda',
        action: 'Invoke',
        permissions: ['lambda:InvokeFunction'],
        target: `function ${functionName}`,
        option: 'ONCEFLOW_FUNCTION_PREFIX',
        whenMissing: 'deploy the job',
      },
      client.config,
    );
  }
}
