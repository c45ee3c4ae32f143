import { arn, brokers, oneOf, text, wholeNumber } from '../kinds.ts';
import { LONGEST_INVOCATION_MS, MAX_INT32 } from './limits.ts';
import { defaulted, optional, required } from './row.ts';

/** Brokers, and how they are spoken to. */
export const kafkaParameters = {
  brokers: required({
    variable: 'ONCEFLOW_BROKERS',
    kind: brokers,
    example: 'localhost:9092',
    readBy: ['host'],
    doc: 'Kafka brokers to connect to first.',
  }),
  kafkaSecurityProtocol: defaulted({
    variable: 'ONCEFLOW_KAFKA_SECURITY_PROTOCOL',
    kind: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
    default: 'PLAINTEXT',
    readBy: ['host'],
    doc: "Kafka's `security.protocol`: what the listener of `ONCEFLOW_BROKERS` speaks. `SSL` and `SASL_SSL` are TLS.",
  }),
  kafkaSaslMechanism: optional({
    variable: 'ONCEFLOW_KAFKA_SASL_MECHANISM',
    kind: oneOf('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'AWS_MSK_IAM'),
    unset: 'no login',
    readBy: ['host', 'infra'],
    doc: "Kafka's `sasl.mechanism`: how to log in, with `SASL_PLAINTEXT` or `SASL_SSL`. `AWS_MSK_IAM` logs in with the AWS credentials of the process; the others need a secret.",
  }),
  kafkaCaFile: optional({
    variable: 'ONCEFLOW_KAFKA_CA_FILE',
    kind: text('the path of a file with certificates in PEM'),
    unset: 'the authorities that Node trusts',
    readBy: ['host', 'infra'],
    deployment: 'replaces',
    doc: "Certificates of the authorities that signed the brokers' certificates, PEM. A deployment takes the file along. MSK does not need it.",
  }),
  kafkaSecretArn: optional({
    variable: 'ONCEFLOW_KAFKA_SECRET_ARN',
    kind: arn(
      'a secret of AWS Secrets Manager',
      'secretsmanager',
      'secret:',
      'arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_job-AbCdEf',
    ),
    unset: 'none',
    readBy: ['host', 'infra'],
    doc: 'User and password for `PLAIN` and `SCRAM-…`: a secret of AWS Secrets Manager, `{"username": …, "password": …}` as MSK wants it.',
  }),
  kafkaCredentialsFile: optional({
    variable: 'ONCEFLOW_KAFKA_CREDENTIALS_FILE',
    kind: text('the path of a JSON file with username and password'),
    unset: 'none',
    readBy: ['host', 'infra'],
    doc: 'The same from a file with the same JSON, on a machine of your own; not in a deployment.',
  }),
  kafkaSecretTtlMs: defaulted({
    variable: 'ONCEFLOW_KAFKA_SECRET_TTL_MS',
    kind: wholeNumber(1000, MAX_INT32),
    unit: 'ms',
    default: '300000',
    readBy: ['host'],
    doc: 'How long user and password are kept in memory before new connections read the secret or the file again. A refused login reads it again at once.',
  }),
  kafkaRequestTimeoutMs: optional({
    variable: 'ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS',
    kind: wholeNumber(100, LONGEST_INVOCATION_MS),
    unset: 'a third of the shorter of epoch and commit timeout, from 2000 to 10000',
    unit: 'ms',
    readBy: ['host'],
    doc: "Kafka's `request.timeout.ms`: a broker that leaves a request unanswered for so long is taken for one that hangs, and who does its work is asked of another. At most half of the shorter of `ONCEFLOW_EPOCH_TIMEOUT_MS` and `ONCEFLOW_COMMIT_TIMEOUT_MS`.",
  }),
  partitionDiscoveryIntervalMs: defaulted({
    variable: 'ONCEFLOW_PARTITION_DISCOVERY_INTERVAL_MS',
    kind: wholeNumber(100, MAX_INT32),
    unit: 'ms',
    default: '10000',
    readBy: ['host'],
    doc: 'How often source topics are asked whether they have more partitions than before.',
  }),
};
