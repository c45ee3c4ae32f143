import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

// Region, credentials and endpoint come from the SDK's own variables (AWS_REGION, AWS_ENDPOINT_URL, …) and files unless
// overridden. Connections are kept alive (the SDK's default); one that died while a function was frozen shows as
// ECONNRESET at its next use, which the SDK repeats.

const CONNECTION_TIMEOUT_MS = 3000;

/** Requests are small, so one that has no answer after 5 s has lost its server; 4 attempts. */
export function createDynamoDbClient(overrides: DynamoDBClientConfig = {}): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: 5000, throwOnRequestTimeout: true },
    ...overrides,
  });
}

/** Blobs can be large, so only silence on the wire counts: 20 s without a byte; 4 attempts. */
export function createS3Client(overrides: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    maxAttempts: 4,
    // Waiting for "100 Continue" would open a connection of its own for every blob of 2 MB and more.
    expectContinueHeader: false,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: 20_000 },
    ...overrides,
  });
  const { config } = client;
  // Endpoints other than AWS's own have no DNS name for each bucket. Whether there is one is known once the SDK has read its
  // variables and its files.
  client.middlewareStack.add(
    (next) => async (args) => {
      config.forcePathStyle ||= config.isCustomEndpoint === true || (await config.serviceConfiguredEndpoint?.()) !== undefined;
      return next(args);
    },
    { step: 'initialize', name: 'addressBucketsByPath' },
  );
  return client;
}

/**
 * One attempt: an invocation that gave no answer may be running still, and only the coordinator knows whether it may
 * be repeated. No timeout of its own: every invocation has the deadline that its caller gives it.
 */
export function createLambdaClient(overrides: LambdaClientConfig = {}): LambdaClient {
  return new LambdaClient({ maxAttempts: 1, requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: 0 }, ...overrides });
}
