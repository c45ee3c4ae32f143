import type { ConfigFault, Rule } from './fault.ts';
import type { Parameter } from './parameters/row.ts';
import { type Config, parameters, type ToolConfig } from './parameters.ts';

/** How the brokers are spoken to, out of the parameters. */
type KafkaSecurity = Pick<
  Config,
  'kafkaSecurityProtocol' | 'kafkaSaslMechanism' | 'kafkaCaFile' | 'kafkaSecretArn' | 'kafkaCredentialsFile' | 'kafkaSecretTtlMs'
>;

export function usesTls({ kafkaSecurityProtocol }: Pick<KafkaSecurity, 'kafkaSecurityProtocol'>): boolean {
  return kafkaSecurityProtocol.endsWith('SSL');
}

function usesSasl({ kafkaSecurityProtocol }: KafkaSecurity): boolean {
  return kafkaSecurityProtocol.startsWith('SASL_');
}

/** Protocol, mechanism and where the credentials come from say the same. The first contradiction is enough: others follow from it. */
export const kafkaSecurityFits: Rule = (config, isSet) => {
  const fault = protocolFault(config) ?? caFault(config) ?? credentialsFault(config) ?? ttlFault(config, isSet) ?? clusterFault(config);
  return fault === undefined ? [] : [fault];
};

const PROTOCOL = parameters.kafkaSecurityProtocol.variable;
const MECHANISM = parameters.kafkaSaslMechanism.variable;
const SECRET = parameters.kafkaSecretArn.variable;
const FILE = parameters.kafkaCredentialsFile.variable;

function faultIn(of: Parameter<unknown>, value: string | undefined, rule: string, mend: string): ConfigFault {
  return { option: of.variable, value, rule, mend };
}

function protocolFault(config: ToolConfig): ConfigFault | undefined {
  const { kafkaSecurityProtocol: protocol, kafkaSaslMechanism: mechanism } = config;
  if (usesSasl(config) && mechanism === undefined)
    return faultIn(
      parameters.kafkaSaslMechanism,
      undefined,
      `${parameters.kafkaSaslMechanism.rule} with ${PROTOCOL}=${protocol}`,
      `set it, or set ${PROTOCOL} to PLAINTEXT or SSL`,
    );
  if (!usesSasl(config) && mechanism !== undefined)
    return faultIn(
      parameters.kafkaSaslMechanism,
      mechanism,
      `unset with ${PROTOCOL}=${protocol}, which has no login`,
      `unset it, or set ${PROTOCOL} to SASL_SSL or SASL_PLAINTEXT`,
    );
  if (mechanism === 'AWS_MSK_IAM' && protocol !== 'SASL_SSL')
    return faultIn(
      parameters.kafkaSecurityProtocol,
      protocol,
      `SASL_SSL with ${MECHANISM}=AWS_MSK_IAM`,
      'set it to SASL_SSL, or choose another mechanism',
    );
  return undefined;
}

function caFault(config: ToolConfig): ConfigFault | undefined {
  const { kafkaSecurityProtocol: protocol, kafkaCaFile } = config;
  if (kafkaCaFile === undefined || usesTls(config)) return undefined;
  return faultIn(
    parameters.kafkaCaFile,
    kafkaCaFile,
    `unset with ${PROTOCOL}=${protocol}, which is not TLS`,
    `unset it, or set ${PROTOCOL} to SSL or SASL_SSL`,
  );
}

function credentialsFault(config: ToolConfig): ConfigFault | undefined {
  const { kafkaSaslMechanism: mechanism, kafkaSecretArn, kafkaCredentialsFile } = config;
  const given =
    kafkaSecretArn === undefined
      ? { parameter: parameters.kafkaCredentialsFile, value: kafkaCredentialsFile }
      : { parameter: parameters.kafkaSecretArn, value: kafkaSecretArn };
  if (mechanism === undefined || mechanism === 'AWS_MSK_IAM') {
    if (given.value === undefined) return undefined;
    const because =
      mechanism === undefined
        ? `${PROTOCOL}=${config.kafkaSecurityProtocol}, which has no login`
        : `${MECHANISM}=AWS_MSK_IAM, which logs in with the AWS credentials of the process`;
    return faultIn(
      given.parameter,
      given.value,
      `unset with ${because}`,
      mechanism === undefined ? `unset it, or set ${PROTOCOL} to SASL_SSL and ${MECHANISM}` : 'unset it, or choose another mechanism',
    );
  }
  if (given.value === undefined)
    return faultIn(
      parameters.kafkaSecretArn,
      undefined,
      `the secret with user and password for ${MECHANISM}=${mechanism}`,
      `set it, or ${FILE} on a machine of your own`,
    );
  if (kafkaSecretArn !== undefined && kafkaCredentialsFile !== undefined)
    return faultIn(parameters.kafkaCredentialsFile, kafkaCredentialsFile, `unset when ${SECRET} is set`, 'leave one of the two out');
  return undefined;
}

function ttlFault(config: ToolConfig, isSet: (name: keyof Config) => boolean): ConfigFault | undefined {
  if (!isSet('kafkaSecretTtlMs') || config.kafkaSecretArn !== undefined || config.kafkaCredentialsFile !== undefined) return undefined;
  return faultIn(
    parameters.kafkaSecretTtlMs,
    `${config.kafkaSecretTtlMs}`,
    `unset without ${SECRET} or ${FILE}: there is no secret to keep`,
    'unset it',
  );
}

/** What only a deployment reads, and needs. */
function clusterFault({ kafkaSaslMechanism, kafkaClusterArn, kafkaSecretArn, kafkaSecretKeyArn }: ToolConfig): ConfigFault | undefined {
  if (kafkaClusterArn !== undefined && kafkaSaslMechanism !== 'AWS_MSK_IAM')
    return faultIn(
      parameters.kafkaClusterArn,
      kafkaClusterArn,
      `unset without ${MECHANISM}=AWS_MSK_IAM: nothing but IAM needs it`,
      'unset it, or set the mechanism',
    );
  if (kafkaSecretKeyArn !== undefined && kafkaSecretArn === undefined)
    return faultIn(
      parameters.kafkaSecretKeyArn,
      kafkaSecretKeyArn,
      `unset without ${SECRET}, which it encrypts`,
      'unset it, or set the secret',
    );
  return undefined;
}
