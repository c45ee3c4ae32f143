import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DynamoDbLocalService, startDynamoDbLocal } from './dynamodb-local.ts';
import { INSTALLED, installed } from './installed.ts';
import type { Keeper } from './kept-process.ts';
import { type Service, startService } from './service.ts';

export interface LocalStackService extends Service {
  /** For S3 and DynamoDB clients. */
  readonly endpoint: string;
  /** The DynamoDB Local to which LocalStack hands on what it is asked of DynamoDB. */
  readonly dynamodbLocal: DynamoDbLocalService;
}

/** Variables of the caller that would lead LocalStack elsewhere. */
const NOT_ITS_OWN = /^(ONCEFLOW_|AWS_|LOCALSTACK_|DYNAMODB_)/;

/**
 * Starts LocalStack in host mode, for S3 and DynamoDB: its Lambda needs Docker. All in memory, and nothing of it uses the
 * network.
 */
export async function startLocalStack(keeper: Keeper): Promise<LocalStackService> {
  const python = installed('localstack', INSTALLED.localstackPython);
  const dir = join(keeper.dir, 'localstack');
  const dynamodbLocal = await startDynamoDbLocal(keeper);
  pretendInstalled(join(dir, 'var/lib/localstack/lib'));
  const port = await keeper.takePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const service = await startService(
    keeper,
    {
      name: 'localstack',
      command: python,
      args: ['-m', 'localstack.runtime.main'],
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_ITS_OWN.test(name))),
        // In a container it would use the root's folders, as in its own image.
        OVERRIDE_IN_DOCKER: '0',
        FILESYSTEM_ROOT: dir,
        CONFIG_DIR: join(dir, 'config'),
        // It empties the folder "localstack" in the folder for temporary files when it starts, whosever that is.
        TMPDIR: dir,
        XDG_CACHE_HOME: join(dir, 'cache'),
        // Its other server listens on all addresses, whatever it is told.
        GATEWAY_SERVER: 'hypercorn',
        GATEWAY_LISTEN: `127.0.0.1:${port}`,
        DNS_ADDRESS: '0',
        SERVICES: 'dynamodb,s3',
        EAGER_SERVICE_LOADING: '1',
        DYNAMODB_LOCAL_PORT: new URL(dynamodbLocal.endpoint).port,
        DISABLE_EVENTS: '1',
        SKIP_SSL_CERT_DOWNLOAD: '1',
      },
    },
    () => isUp(endpoint),
  );
  return { ...service, endpoint, dynamodbLocal };
}

/**
 * LocalStack would download Java and DynamoDB Local, and run DynamoDB Local in a session of its own, where it outlives a
 * kill. Ours runs already, on the port that LocalStack is given: it finds both installed, and its "java" ends at once.
 */
function pretendInstalled(libs: string): void {
  for (const home of ['java/21', 'java/21/Contents/Home']) {
    mkdirSync(join(libs, home, 'bin'), { recursive: true });
    writeFileSync(join(libs, home, 'bin/java'), '#!/bin/sh\n', { mode: 0o755 });
  }
  mkdirSync(join(libs, 'dynamodb-local/2'), { recursive: true });
  writeFileSync(join(libs, 'dynamodb-local/2/DynamoDBLocal.jar'), '');
}

/** It answers before its services are there. */
async function isUp(endpoint: string): Promise<boolean> {
  try {
    const answer = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(2_000) });
    const { services } = (await answer.json()) as { readonly services: Readonly<Record<string, string>> };
    return services['dynamodb'] === 'running' && services['s3'] === 'running';
  } catch {
    return false;
  }
}
