import type { ConfigFault, Rule } from './fault.ts';
import type { Parameter } from './parameters/row.ts';
import { type ClusterConfig, parameters } from './parameters.ts';

/** How the brokers are spoken to, out of the parameters. */
type KafkaSecurity = Omit<ClusterConfig, 'brokers'>;
/** Of one cluster, what its parameters are called. */
type Rows = Readonly<Record<keyof ClusterConfig, Parameter<unknown>>>;
type IsSet = (name: keyof ClusterConfig) => boolean;

export function usesTls({ kafkaSecurityProtocol }: Pick<KafkaSecurity, 'kafkaSecurityProtocol'>): boolean {
  return kafkaSecurityProtocol.endsWith('SSL');
}

function usesSasl({ kafkaSecurityProtocol }: KafkaSecurity): boolean {
  return kafkaSecurityProtocol.startsWith('SASL_');
}

/** Protocol, mechanism and where the credentials come from say the same. The first contradiction is enough: others follow from it. */
export const kafkaSecurityFits: Rule = (config, isSet) => securityFaults(config, isSet, parameters);

/** The same of any cluster. */
export function securityFaults(config: KafkaSecurity, isSet: IsSet, rows: Rows): readonly ConfigFault[] {
  const fault =
    protocolFault(config, rows) ??
    caFault(config, rows) ??
    credentialsFault(config, rows) ??
    ttlFault(config, isSet, rows) ??
    clusterFault(config, rows);
  return fault === undefined ? [] : [fault];
}

function faultIn(of: Parameter<unknown>, value: string | undefined, rule: string, mend: string): ConfigFault {
  return { option: of.variable, value, rule, mend };
}

function protocolFault(config: KafkaSecurity, rows: Rows): ConfigFault | undefined {
  const { kafkaSecurityProtocol: protocol, kafkaSaslMechanism: mechanism } = config;
  if (usesSasl(config) && mechanism === undefined)
    return faultIn(
      rows.kafkaSaslMechanism,
      undefined,
      `${rows.kafkaSaslMechanism.rule} with ${rows.kafkaSecurityProtocol.variable}=${protocol}`,
      `set it, or set ${rows.kafkaSecurityProtocol.variable} to PLAINTEXT or SSL`,
    );
  if (!usesSasl(config) && mechanism !== undefined)
    return faultIn(
      rows.kafkaSaslMechanism,
      mechanism,
      `unset with ${rows.kafkaSecurityProtocol.variable}=${protocol}, which has no login`,
      `unset it, or set ${rows.kafkaSecurityProtocol.variable} to SASL_SSL or SASL_PLAINTEXT`,
    );
  if (mechanism === 'AWS_MSK_IAM' && protocol !== 'SASL_SSL')
    return faultIn(
      rows.kafkaSecurityProtocol,
      protocol,
      `SASL_SSL with ${rows.kafkaSaslMechanism.variable}=AWS_MSK_IAM`,
      'set it to SASL_SSL, or choose another mechanism',
    );
  return undefined;
}

function caFault(config: KafkaSecurity, rows: Rows): ConfigFault | undefined {
  const { kafkaSecurityProtocol: protocol, kafkaCaFile } = config;
  if (kafkaCaFile === undefined || usesTls(config)) return undefined;
  return faultIn(
    rows.kafkaCaFile,
    kafkaCaFile,
    `unset with ${rows.kafkaSecurityProtocol.variable}=${protocol}, which is not TLS`,
    `unset it, or set ${rows.kafkaSecurityProtocol.variable} to SSL or SASL_SSL`,
  );
}

function credentialsFault(config: KafkaSecurity, rows: Rows): ConfigFault | undefined {
  const { kafkaSaslMechanism: mechanism, kafkaSecretArn, kafkaCredentialsFile } = config;
  const given =
    kafkaSecretArn === undefined
      ? { parameter: rows.kafkaCredentialsFile, value: kafkaCredentialsFile }
      : { parameter: rows.kafkaSecretArn, value: kafkaSecretArn };
  if (mechanism === undefined || mechanism === 'AWS_MSK_IAM') {
    if (given.value === undefined) return undefined;
    const because =
      mechanism === undefined
        ? `${rows.kafkaSecurityProtocol.variable}=${config.kafkaSecurityProtocol}, which has no login`
        : `${rows.kafkaSaslMechanism.variable}=AWS_MSK_IAM, which logs in with the AWS credentials of the process`;
    return faultIn(
      given.parameter,
      given.value,
      `unset with ${because}`,
      mechanism === undefined
        ? `unset it, or set ${rows.kafkaSecurityProtocol.variable} to SASL_SSL and ${rows.kafkaSaslMechanism.variable}`
        : 'unset it, or choose another mechanism',
    );
  }
  if (given.value === undefined)
    return faultIn(
      rows.kafkaSecretArn,
      undefined,
      `the secret with user and password for ${rows.kafkaSaslMechanism.variable}=${mechanism}`,
      `set it, or ${rows.kafkaCredentialsFile.variable} on a machine of your own`,
    );
  if (kafkaSecretArn !== undefined && kafkaCredentialsFile !== undefined)
    return faultIn(
      rows.kafkaCredentialsFile,
      kafkaCredentialsFile,
      `unset when ${rows.kafkaSecretArn.variable} is set`,
      'leave one of the two out',
    );
  return undefined;
}

function ttlFault(config: KafkaSecurity, isSet: IsSet, rows: Rows): ConfigFault | undefined {
  if (!isSet('kafkaSecretTtlMs') || config.kafkaSecretArn !== undefined || config.kafkaCredentialsFile !== undefined) return undefined;
  return faultIn(
    rows.kafkaSecretTtlMs,
    `${config.kafkaSecretTtlMs}`,
    `unset without ${rows.kafkaSecretArn.variable} or ${rows.kafkaCredentialsFile.variable}: there is no secret to keep`,
    'unset it',
  );
}

/** What only a deployment reads, and needs. */
function clusterFault(
  { kafkaSaslMechanism, kafkaClusterArn, kafkaSecretArn, kafkaSecretKeyArn }: KafkaSecurity,
  rows: Rows,
): ConfigFault | undefined {
  if (kafkaClusterArn !== undefined && kafkaSaslMechanism !== 'AWS_MSK_IAM')
    return faultIn(
      rows.kafkaClusterArn,
      kafkaClusterArn,
      `unset without ${rows.kafkaSaslMechanism.variable}=AWS_MSK_IAM: nothing but IAM needs it`,
      'unset it, or set the mechanism',
    );
  if (kafkaSecretKeyArn !== undefined && kafkaSecretArn === undefined)
    return faultIn(
      rows.kafkaSecretKeyArn,
      kafkaSecretKeyArn,
      `unset without ${rows.kafkaSecretArn.variable}, which it encrypts`,
      'unset it, or set the secret',
    );
  return undefined;
}
