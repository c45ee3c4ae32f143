import { join } from 'node:path';
import { INSTALLED, installed, javaCommand } from './installed.ts';
import type { Keeper } from './kept-process.ts';
import { accepts, type Service, startService } from './service.ts';

export interface DynamoDbLocalService extends Service {
  readonly endpoint: string;
}

/** Starts Amazon's own DynamoDB Local, in memory: the second opinion on conditional writes. */
export async function startDynamoDbLocal(keeper: Keeper): Promise<DynamoDbLocalService> {
  const libs = installed('dynamodb-local', INSTALLED.dynamodbLocalLibs);
  const port = await keeper.takePort();
  const service = await startService(
    keeper,
    {
      name: 'dynamodb-local',
      command: javaCommand(),
      args: [
        '-Xmx256m',
        '-XX:TieredStopAtLevel=1',
        '-XX:+UseSerialGC',
        `-Djava.library.path=${libs}`,
        '-cp',
        join(libs, '*'),
        'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
        '-inMemory',
        '-sharedDb',
        '-disableTelemetry',
        '-port',
        String(port),
      ],
      env: process.env,
    },
    () => accepts(port),
  );
  return { ...service, endpoint: `http://127.0.0.1:${port}` };
}
