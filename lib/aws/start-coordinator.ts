import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';

/** An explicit start of a deployed job: returns when Lambda has taken it, not when the coordinator runs. */
export async function startCoordinator(client: LambdaClient, functionName: string): Promise<void> {
  await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: JSON.stringify({ ask: 'start' }) }));
}
