import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readCertificates } from '../../../lib/config/kafka-certificates.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import { testCertificate, testKey } from '../kafka/certificate.ts';

const required = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'localhost:9092', ONCEFLOW_BLOBS: 'file:///var/blobs' };
const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_job-AbCdEf';
const scram = {
  ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  ONCEFLOW_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  ONCEFLOW_KAFKA_SECRET_ARN: SECRET,
};
const iam = { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' };

describe('ONCEFLOW_KAFKA_SECURITY_PROTOCOL and ONCEFLOW_KAFKA_SASL_MECHANISM', () => {
  it.each<[string, Record<string, string>]>([
    ['nothing at all', {}],
    ['TLS', { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL', ONCEFLOW_KAFKA_CA_FILE: 'ca.pem' }],
    ['SCRAM with a secret', { ...scram, ONCEFLOW_KAFKA_SECRET_TTL_MS: '60000' }],
    [
      'PLAIN with a file',
      { ...scram, ONCEFLOW_KAFKA_SASL_MECHANISM: 'PLAIN', ONCEFLOW_KAFKA_SECRET_ARN: '', ONCEFLOW_KAFKA_CREDENTIALS_FILE: 'login.json' },
    ],
    ['IAM without any', { ...iam, ONCEFLOW_KAFKA_CLUSTER_ARN: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/1a-2b' }],
  ])('may say %s', (_what, env) => {
    expect(readConfig({ ...required, ...env }).kafkaSecurityProtocol).toBe(env['ONCEFLOW_KAFKA_SECURITY_PROTOCOL'] ?? 'PLAINTEXT');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'another word',
      { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'tls' },
      /ONCEFLOW_KAFKA_SECURITY_PROTOCOL is "tls": it must be one of PLAINTEXT, SSL/,
    ],
    [
      'a login without a mechanism',
      { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' },
      /ONCEFLOW_KAFKA_SASL_MECHANISM is not set: .*SCRAM-SHA-512.* with ONCEFLOW_KAFKA_SECURITY_PROTOCOL=SASL_SSL; set it/,
    ],
    [
      'a mechanism without a login',
      { ...scram, ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL' },
      /ONCEFLOW_KAFKA_SASL_MECHANISM is "SCRAM-SHA-512": it must be unset with .*=SSL, which has no login/,
    ],
    [
      'a login without a secret',
      { ...scram, ONCEFLOW_KAFKA_SECRET_ARN: '' },
      /ONCEFLOW_KAFKA_SECRET_ARN is not set: it must be the secret .*; set it, or ONCEFLOW_KAFKA_CREDENTIALS_FILE/,
    ],
    [
      'a secret without a login (ONCEFLOW_KAFKA_SECRET_ARN)',
      { ONCEFLOW_KAFKA_SECRET_ARN: SECRET },
      /ONCEFLOW_KAFKA_SECRET_ARN is ".*": it must be unset with ONCEFLOW_KAFKA_SECURITY_PROTOCOL=PLAINTEXT/,
    ],
    [
      'a file without a login (ONCEFLOW_KAFKA_CREDENTIALS_FILE)',
      { ONCEFLOW_KAFKA_CREDENTIALS_FILE: 'x' },
      /ONCEFLOW_KAFKA_CREDENTIALS_FILE is "x": it must be unset with/,
    ],
    [
      'a secret and a file',
      { ...scram, ONCEFLOW_KAFKA_CREDENTIALS_FILE: 'x' },
      /ONCEFLOW_KAFKA_CREDENTIALS_FILE is "x": it must be unset when ONCEFLOW_KAFKA_SECRET_ARN is set/,
    ],
    [
      'IAM with a secret',
      { ...iam, ONCEFLOW_KAFKA_SECRET_ARN: SECRET },
      /ONCEFLOW_KAFKA_SECRET_ARN is ".*": it must be unset with ONCEFLOW_KAFKA_SASL_MECHANISM=AWS_MSK_IAM/,
    ],
    [
      'IAM without TLS',
      { ...iam, ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT' },
      /ONCEFLOW_KAFKA_SECURITY_PROTOCOL is "SASL_PLAINTEXT": it must be SASL_SSL/,
    ],
    [
      'an authority without TLS (ONCEFLOW_KAFKA_CA_FILE)',
      { ONCEFLOW_KAFKA_CA_FILE: 'ca.pem' },
      /ONCEFLOW_KAFKA_CA_FILE is "ca.pem": it must be unset with .*PLAINTEXT, which is not TLS/,
    ],
    [
      'a time to live of no secret (ONCEFLOW_KAFKA_SECRET_TTL_MS)',
      { ...iam, ONCEFLOW_KAFKA_SECRET_TTL_MS: '60000' },
      /ONCEFLOW_KAFKA_SECRET_TTL_MS is "60000": it must be unset without/,
    ],
    [
      'a cluster that needs no IAM (ONCEFLOW_KAFKA_CLUSTER_ARN)',
      { ...scram, ONCEFLOW_KAFKA_CLUSTER_ARN: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/1a-2b' },
      /ONCEFLOW_KAFKA_CLUSTER_ARN is ".*": it must be unset without ONCEFLOW_KAFKA_SASL_MECHANISM=AWS_MSK_IAM/,
    ],
    [
      'a key of no secret (ONCEFLOW_KAFKA_SECRET_KEY_ARN)',
      { ONCEFLOW_KAFKA_SECRET_KEY_ARN: 'arn:aws:kms:us-east-1:123456789012:key/1a-2b' },
      /ONCEFLOW_KAFKA_SECRET_KEY_ARN is ".*": it must be unset without ONCEFLOW_KAFKA_SECRET_ARN/,
    ],
    [
      'a secret that is no ARN',
      { ...scram, ONCEFLOW_KAFKA_SECRET_ARN: 'AmazonMSK_job' },
      /ONCEFLOW_KAFKA_SECRET_ARN is "AmazonMSK_job": it must be the ARN of a secret of AWS Secrets Manager/,
    ],
  ])('are refused with one message for %s', (_what, env, message) => {
    expect(() => readConfig({ ...required, ...env })).toThrow(message);
    expect(() => readConfig({ ...required, ...env })).toThrow(/^wrong configuration: ONCEFLOW_KAFKA_/);
  });
});

describe('ONCEFLOW_KAFKA_CA_FILE', () => {
  const fileWith = (content: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-ca-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'ca.pem');
    writeFileSync(file, content);
    return file;
  };

  it('holds certificates', () => {
    expect(readCertificates({ kafkaCaFile: fileWith(testCertificate) })).toBe(testCertificate);
    expect(readCertificates({ kafkaCaFile: undefined })).toBeUndefined();
  });

  it('is refused when it is missing or holds something else', () => {
    expect(() => readCertificates({ kafkaCaFile: '/no/such/file' })).toThrow(
      /ONCEFLOW_KAFKA_CA_FILE is "\/no\/such\/file": it must be .*ENOENT/,
    );
    expect(() => readCertificates({ kafkaCaFile: fileWith(testKey) })).toThrow(/ONCEFLOW_KAFKA_CA_FILE is ".*ca\.pem": it must be/);
  });
});
