import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type KafkaClusterProps, StreamJob } from '../../../infra/stream-job.ts';
import { testCertificate } from '../kafka/certificate.ts';

// The CDK loads a library at the first use of each of its parts.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'onceflow-infra-'));
afterAll(() => rmSync(folder, { recursive: true }));

function synthesized(parameters: Readonly<Record<string, string>>, context: object = { 'aws:cdk:bundling-stacks': [] }) {
  const app = new App({ context: { ...context }, outdir: mkdtempSync(join(folder, 'app-')) });
  const stack = new Stack(app, 'Test');
  new StreamJob(stack, 'Job', { job: './jobs/word-count.ts', kafka: { brokers: 'b:9098' }, parameters });
  return { outdir: app.outdir, template: Template.fromStack(stack) };
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** What the role may do about Kafka and secrets: actions by resource. */
function accessOf(role: string, template: Template, job = 'word-count'): Record<string, unknown> {
  const roles = Object.values(template.findResources('AWS::IAM::Role')).map(({ Properties }) => Properties);
  const statements = roles
    .filter(({ Description }) => Description === `${role} of job ${job}`)
    .flatMap(({ Policies }) =>
      Policies.flatMap(({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) => PolicyDocument.Statement),
    );
  const ours = statements.filter(({ Action }: Statement) => /^(kafka|secretsmanager|kms)/.test([Action].flat()[0] ?? ''));
  return Object.fromEntries(
    ours.map(({ Resource, Action, Condition }: Statement) => [
      [Resource]
        .flat()
        .join(' ')
        .replaceAll(/arn:aws:[a-z]+:us-east-1:123456789012:/g, ''),
      Condition === undefined ? [Action].flat().map((action) => action.replace('kafka-cluster:', '')) : { Action, Condition },
    ]),
  );
}

const secured = { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' };
const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_job-AbCdEf';
const scram = { ...secured, ONCEFLOW_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', ONCEFLOW_KAFKA_SECRET_ARN: SECRET };

describe('the secret with user and password', () => {
  const { template } = synthesized({ ...scram, ONCEFLOW_KAFKA_SECRET_KEY_ARN: 'arn:aws:kms:us-east-1:123456789012:key/1a-2b' });

  it('may be read by the functions that talk to Kafka, and by no other; its key (ONCEFLOW_KAFKA_SECRET_KEY_ARN) is for it alone', () => {
    for (const role of ['coordinator', 'source', 'sink'])
      expect(accessOf(role, template)).toEqual({
        'secret:AmazonMSK_job-AbCdEf': ['secretsmanager:GetSecretValue'],
        'key/1a-2b': { Action: 'kms:Decrypt', Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } } },
      });
    expect(accessOf('operator', template)).toEqual({});
  });

  it('is in the environment by its name only', () => {
    const environments = Object.values(template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Environment.Variables,
    );
    for (const environment of environments) {
      expect(environment).toMatchObject(scram);
      expect(environment).not.toHaveProperty('ONCEFLOW_KAFKA_SECRET_KEY_ARN');
    }
  });
});

describe("MSK's IAM login", () => {
  const { template } = synthesized({
    ...secured,
    ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
    ONCEFLOW_KAFKA_CLUSTER_ARN: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/1a-2b',
    ONCEFLOW_POISON_POLICY: 'dead-letter',
    ONCEFLOW_DEAD_LETTER_TOPIC: 'letters',
  });
  const sinks = 'topic/demo/1a-2b/flink_kafka2 topic/demo/1a-2b/letters';

  it('lets the coordinator describe, commit offsets for lag tools and settle transactions', () => {
    expect(accessOf('coordinator', template)).toEqual({
      'cluster/demo/1a-2b': ['Connect', 'DescribeClusterDynamicConfiguration'],
      'topic/demo/1a-2b/flink_kafka': ['DescribeTopic', 'ReadData'],
      'group/demo/1a-2b/word-count': ['AlterGroup', 'DescribeGroup'],
      [sinks]: ['DescribeTopic', 'DescribeTopicDynamicConfiguration', 'ReadData', 'WriteData'],
      'transactional-id/demo/1a-2b/word-count-*': ['AlterTransactionalId', 'DescribeTransactionalId'],
    });
  });

  it('lets the source read its topics', () => {
    expect(accessOf('source', template)).toEqual({
      'cluster/demo/1a-2b': ['Connect'],
      'topic/demo/1a-2b/flink_kafka': ['DescribeTopic', 'ReadData'],
      'group/demo/1a-2b/word-count': ['AlterGroup', 'DescribeGroup'],
    });
  });

  it('lets the sink make its transactions, look into its topics, and read the markers that a build before left', () => {
    expect(accessOf('sink', template)).toEqual({
      'cluster/demo/1a-2b': ['Connect'],
      [sinks]: ['DescribeTopic', 'ReadData', 'WriteData'],
      'group/demo/1a-2b/word-count-*': ['DescribeGroup'],
      'transactional-id/demo/1a-2b/word-count-*': ['AlterTransactionalId', 'DescribeTransactionalId'],
    });
  });

  it('is nothing to the operator', () => {
    expect(accessOf('operator', template)).toEqual({});
  });
});

it('without a login no role may do anything about Kafka or secrets', () => {
  const { template } = synthesized({ ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL' });
  for (const role of ['coordinator', 'source', 'operator', 'sink']) expect(accessOf(role, template)).toEqual({});
});

it('the certificates of ONCEFLOW_KAFKA_CA_FILE travel in the bundle', () => {
  const file = join(folder, 'authority.pem');
  writeFileSync(file, testCertificate);
  const { template, outdir } = synthesized({ ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL', ONCEFLOW_KAFKA_CA_FILE: file }, {});
  template.allResourcesProperties('AWS::Lambda::Function', { Environment: { Variables: { ONCEFLOW_KAFKA_CA_FILE: './kafka-ca.pem' } } });
  expect(readdirSync(outdir).filter((asset) => existsSync(join(outdir, asset, 'kafka-ca.pem')))).toHaveLength(1);
});

describe('clusters that have a name', () => {
  const file = join(folder, 'guarded.pem');
  writeFileSync(file, testCertificate);
  const stackOf = (guarded: Omit<KafkaClusterProps, 'brokers'>) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] }, outdir: mkdtempSync(join(folder, 'app-')) });
    const stack = new Stack(app, 'Test');
    const kafka = { brokers: 'b:9092', clusters: { guarded: { brokers: 'g:9098', ...guarded } } };
    new StreamJob(stack, 'Job', { job: './test/support/two-clusters-job.ts', kafka });
    return Template.fromStack(stack);
  };
  const iam = { securityProtocol: 'SASL_SSL', saslMechanism: 'AWS_MSK_IAM' } as const;

  it('give the functions rights of their own, on what the job has there', () => {
    const template = stackOf({ ...iam, clusterArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/guarded/1a-2b' });
    expect(accessOf('coordinator', template, 'two-clusters')).toEqual({
      'cluster/guarded/1a-2b': ['Connect', 'DescribeClusterDynamicConfiguration'],
      'topic/guarded/1a-2b/lines': ['DescribeTopic', 'ReadData'],
      'group/guarded/1a-2b/two-clusters': ['AlterGroup', 'DescribeGroup'],
      'topic/guarded/1a-2b/counts': ['DescribeTopic', 'DescribeTopicDynamicConfiguration', 'ReadData', 'WriteData'],
      'transactional-id/guarded/1a-2b/two-clusters-*': ['AlterTransactionalId', 'DescribeTransactionalId'],
    });
    expect(accessOf('operator', template, 'two-clusters')).toEqual({});
  });

  it('have secrets and certificates of their own', () => {
    const template = stackOf({ securityProtocol: 'SASL_SSL', saslMechanism: 'SCRAM-SHA-512', secretArn: SECRET, caFile: file });
    for (const role of ['coordinator', 'source', 'sink'])
      expect(accessOf(role, template, 'two-clusters')).toEqual({ 'secret:AmazonMSK_job-AbCdEf': ['secretsmanager:GetSecretValue'] });
    template.allResourcesProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          ONCEFLOW_KAFKA_GUARDED_BROKERS: 'g:9098',
          ONCEFLOW_KAFKA_GUARDED_SECRET_ARN: SECRET,
          ONCEFLOW_KAFKA_GUARDED_CA_FILE: './kafka-ca-guarded.pem',
        },
      },
    });
  });

  it('are refused by the names of their own parameters', () => {
    expect(() => stackOf(iam)).toThrow(/ONCEFLOW_KAFKA_GUARDED_CLUSTER_ARN is not set: it must be the ARN of an MSK cluster/);
    expect(() => stackOf({ securityProtocol: 'SSL', caFile: '/no/such/file' })).toThrow(
      /ONCEFLOW_KAFKA_GUARDED_CA_FILE is "\/no\/such\/file"/,
    );
  });
});
