import { GetSecretValueCommand, SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { problemOf } from './aws-problem.ts';

const CONNECTION_TIMEOUT_MS = 3000;

/** Of the secret's own region. Here and not beside the other clients, so that a function that needs no secret does not load it. */
export function createSecretsManagerClient(arn: string, overrides: SecretsManagerClientConfig = {}): SecretsManagerClient {
  const region = arn.split(':')[3];
  return new SecretsManagerClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: 5000, throwOnRequestTimeout: true },
    ...(region === undefined ? {} : { region }),
    ...overrides,
  });
}

/** The text of the secret's current version. @throws StoreProblem */
export async function readSecret(client: SecretsManagerClient, arn: string, option: string): Promise<string> {
  try {
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    return text ?? '';
  } catch (error) {
    const call = {
      service: 'Secrets Manager',
      action: 'GetSecretValue',
      permissions: ['secretsmanager:GetSecretValue', "kms:Decrypt on the secret's key if it is your own"],
      target: `secret ${arn}`,
      option,
    } as const;
    throw await problemOf(error, call, client.config);
  }
}
