import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock } from '../ports/clock.ts';

/** An explicit start of a deployed job, asked for now: returns when Lambda has taken it, not when the coordinator runs. */
export async function startCoordinator(client: LambdaClient, functionName: string, { now }: Pick<Clock, 'now'>): Promise<void> {
  const payload = { ask: 'start', askedAt: new Date(now()).toISOString() };
  await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: JSON.stringify(payload) }));
}
