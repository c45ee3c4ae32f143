import { readFile } from 'node:fs/promises';
import { ConfigError } from '../lib/config/fault.ts';
import { readCertificates } from '../lib/config/kafka-certificates.ts';
import { usesTls } from '../lib/config/kafka-security.ts';
import { type ClusterConfig, parameters } from '../lib/config/parameters.ts';
import type { KafkaOptions } from '../lib/kafka/connect.ts';
import type { Clock } from '../lib/ports/clock.ts';
import { StoreProblem } from '../lib/ports/store-problem.ts';

export type ClusterLogin = Omit<ClusterConfig, 'brokers' | 'kafkaClusterArn' | 'kafkaSecretKeyArn'>;
/** How the parameters of a cluster are called. */
export type ClusterParameters = Readonly<Record<keyof ClusterConfig, { readonly variable: string }>>;
type Sasl = NonNullable<KafkaOptions['sasl']>;

const MECHANISMS = { PLAIN: 'plain', 'SCRAM-SHA-256': 'scram-sha-256', 'SCRAM-SHA-512': 'scram-sha-512' } as const;

/**
 * TLS and login as the parameters say. Secrets and the clients that fetch them are loaded only where they are configured;
 * nothing is fetched before the first connection.
 *
 * @throws ConfigError when there are no certificates in ONCEFLOW_KAFKA_CA_FILE, or no region for IAM.
 */
export async function tlsAndLogin(
  config: ClusterLogin,
  clock: Clock,
  names: ClusterParameters = parameters,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Pick<KafkaOptions, 'ssl' | 'sasl'>> {
  const ca = readCertificates(config, names.kafkaCaFile.variable);
  return { ssl: usesTls(config) ? (ca === undefined ? true : { ca }) : undefined, sasl: await saslOf(config, { clock, names, env }) };
}

interface Surroundings {
  readonly clock: Clock;
  readonly names: ClusterParameters;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function saslOf(config: ClusterLogin, { clock, names, env }: Surroundings): Promise<Sasl | undefined> {
  const { kafkaSaslMechanism } = config;
  if (kafkaSaslMechanism === undefined) return undefined;
  if (kafkaSaslMechanism === 'AWS_MSK_IAM') {
    const { createMskTokens } = await import('../lib/aws/msk-token.ts');
    return { mechanism: 'oauthbearer', token: createMskTokens({ region: regionIn(env, names), clock }) };
  }
  const { createCredentialSource } = await import('../lib/kafka/credential-source.ts');
  const credentials = createCredentialSource({ ...(await secretOf(config, names)), ttlMs: config.kafkaSecretTtlMs, clock });
  return { mechanism: MECHANISMS[kafkaSaslMechanism], credentials };
}

/** By the rules of the configuration there is one of the two. */
async function secretOf(
  { kafkaSecretArn, kafkaCredentialsFile = '' }: ClusterLogin,
  names: ClusterParameters,
): Promise<{
  readonly read: () => Promise<string>;
  readonly origin: string;
}> {
  if (kafkaSecretArn === undefined) {
    const origin = `file ${kafkaCredentialsFile} (${names.kafkaCredentialsFile.variable})`;
    return { read: () => readText(kafkaCredentialsFile, origin), origin };
  }
  const option = names.kafkaSecretArn.variable;
  const { createSecretsManagerClient, readSecret } = await import('../lib/aws/secret.ts');
  const client = createSecretsManagerClient(kafkaSecretArn);
  return { read: () => readSecret(client, kafkaSecretArn, option), origin: `secret ${kafkaSecretArn} (${option})` };
}

async function readText(file: string, origin: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new StoreProblem(`${origin} cannot be read: ${error instanceof Error ? error.message : String(error)}`, false, { cause: error });
  }
}

function regionIn(env: Surroundings['env'], names: ClusterParameters): string {
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'];
  if (region) return region;
  const rule = `the region of the cluster, with ${names.kafkaSaslMechanism.variable}=AWS_MSK_IAM`;
  throw new ConfigError([{ option: 'AWS_REGION', value: undefined, rule, mend: 'set it' }]);
}
