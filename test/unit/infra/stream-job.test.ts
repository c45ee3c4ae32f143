import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, type AppProps, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, describe, expect, it } from 'vitest';
import { StreamJob, type StreamJobProps } from '../../../infra/stream-job.ts';
import { TTL_ATTRIBUTE } from '../../../lib/aws/dynamo-rows.ts';

// The CDK loads a library at the first use of each of its parts.

/** Where the apps are synthesised. */
const folder = mkdtempSync(join(tmpdir(), 'onceflow-infra-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bundling takes a second or two: only where the code matters. */
const unbundled = { context: { 'aws:cdk:bundling-stacks': [] } };

function newApp(props: AppProps): App {
  return new App({ ...props, outdir: mkdtempSync(join(folder, 'app-')) });
}

function synthesized(change: Partial<StreamJobProps> = {}, app: AppProps = unbundled): Template {
  const stack = new Stack(newApp(app), 'Test');
  new StreamJob(stack, 'Job', { job: './jobs/word-count.ts', kafka: { brokers: 'broker.example.com:9092' }, ...change });
  return Template.fromStack(stack);
}

interface Resource {
  readonly Properties: Readonly<Record<string, unknown>>;
}

const template = synthesized({ parameters: { ONCEFLOW_STAGE_PARALLELISM: 'count-words=3', ONCEFLOW_CHECKPOINT_INTERVAL_MS: '5000' } });
const functions = new Map(
  Object.values(template.findResources('AWS::Lambda::Function') as Record<string, Resource>).map(({ Properties }) => [
    String(Properties['FunctionName']),
    Properties,
  ]),
);

describe('storage', () => {
  it('has a table with the keys and the time to live that the epoch store writes, billed by use', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
    });
  });

  it('can be restored to a point in time, cannot be deleted by mistake, and outlives its stack', () => {
    template.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Replicas: [
          Match.objectLike({ DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
        ],
      },
    });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('goes with its stack only when that is asked for (ONCEFLOW_REMOVAL)', () => {
    const thrownAway = synthesized({ parameters: { ONCEFLOW_REMOVAL: 'destroy' } });
    thrownAway.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Delete',
      Properties: { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] },
    });
    thrownAway.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  });

  it('has a bucket that is private and encrypted, and refuses what does not come over TLS', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  it('lets no blob expire by age: an old snapshot may be the base of the current state', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }] },
    });
  });
});

describe('storage of an earlier deployment', () => {
  const adopt = { table: 'earlier-table', blobs: 's3://earlier-bucket/some/where' };
  const adopted = synthesized({ adopt });

  it('is found by a tag that has the name of the job', () => {
    const tags = [{ Key: 'onceflow:job', Value: 'word-count' }];
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', { Replicas: [Match.objectLike({ Tags: tags })] });
    template.hasResourceProperties('AWS::S3::Bucket', { Tags: tags });
  });

  it('is what the functions work on when it is adopted, and nothing is made in its place', () => {
    adopted.resourceCountIs('AWS::DynamoDB::GlobalTable', 0);
    adopted.resourceCountIs('AWS::S3::Bucket', 0);
    adopted.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ ONCEFLOW_TABLE: adopt.table, ONCEFLOW_BLOBS: adopt.blobs }) },
    });
    adopted.hasOutput('*', { Value: adopt.table });
    adopted.hasOutput('*', { Value: adopt.blobs });
  });

  it('is all that the functions may reach', () => {
    const policies = JSON.stringify(adopted.findResources('AWS::IAM::Role'));
    expect(policies).toContain(':table/earlier-table"');
    expect(policies).toContain(':s3:::earlier-bucket/some/where/word-count/*"');
  });

  it('makes another build: functions that work on other storage share no epoch', () => {
    const buildOf = (made: Template) => JSON.stringify(made.findOutputs('*', {})).match(/"Value":"([0-9a-f]{16})"/)?.[1];
    expect(buildOf(adopted)).not.toBe(buildOf(synthesized()));
  });
});

describe('functions', () => {
  it('are one for each operator subtask, and one each for coordinator, source and sink', () => {
    expect([...functions.keys()].sort()).toEqual([
      'word-count-coordinator',
      'word-count-operator-count-words-0',
      'word-count-operator-count-words-1',
      'word-count-operator-count-words-2',
      'word-count-sink',
      'word-count-source',
    ]);
  });

  it('run on Node 24 and arm64, or on the processor that was asked for (ONCEFLOW_ARCHITECTURE)', () => {
    for (const properties of functions.values()) expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    synthesized({ parameters: { ONCEFLOW_ARCHITECTURE: 'x86_64' } }).allResourcesProperties('AWS::Lambda::Function', {
      Architectures: ['x86_64'],
    });
  });

  it('get the parameters that were given, where job and storage are, the build, and nothing else', () => {
    for (const { Environment } of functions.values()) {
      expect(Environment).toEqual({
        Variables: {
          ONCEFLOW_BROKERS: 'broker.example.com:9092',
          ONCEFLOW_STAGE_PARALLELISM: 'count-words=3',
          ONCEFLOW_CHECKPOINT_INTERVAL_MS: '5000',
          ONCEFLOW_JOB: './job.mjs',
          ONCEFLOW_TABLE: { Ref: expect.stringContaining('Epochs') },
          ONCEFLOW_BLOBS: { 'Fn::Join': ['', ['s3://', { Ref: expect.stringContaining('Blobs') }]] },
          ONCEFLOW_BUILD_ID: expect.stringMatching(/^[0-9a-f]{16}$/),
          NODE_OPTIONS: expect.any(String),
        },
      });
    }
  });

  it('get what the job reads of the environment', () => {
    const asked = synthesized({ environment: { WORDS_MOST: '9' } });
    asked.allResourcesProperties('AWS::Lambda::Function', { Environment: { Variables: Match.objectLike({ WORDS_MOST: '9' }) } });
  });

  it('are refused when their environment is more than the 4 KB that Lambda takes, with what is longest', () => {
    const brokers = (count: number) => Array.from({ length: count }, (_, index) => `broker-${index}.kafka.example.com:9092`).join(',');
    synthesized({ kafka: { brokers: brokers(85) } });
    expect(() => synthesized({ kafka: { brokers: brokers(125) } })).toThrow(
      /ONCEFLOW_BROKERS is "broker-0\..*…": it must be shorter: Lambda takes 4096 bytes .* has up to 4\d{3}, most of it in ONCEFLOW_BROKERS with 4\d{3}, .*; name three of the brokers/,
    );
  });

  it('outlive the deadlines that the engine gives them', () => {
    expect(functions.get('word-count-coordinator')).toMatchObject({ Timeout: 900 });
    expect(functions.get('word-count-sink')).toMatchObject({ Timeout: 75 });
  });

  it('are of another build (ONCEFLOW_BUILD_ID) when code or settings change, and of the same when nothing does', () => {
    const buildOf = (made: Template) => JSON.stringify(made.findOutputs('*', {})).match(/"Value":"([0-9a-f]{16})"/)?.[1];
    const first = buildOf(synthesized({}, {}));
    expect(buildOf(synthesized({}, {}))).toBe(first);
    expect(buildOf(synthesized({ job: './jobs/word-count-failing-words.ts' }, {}))).not.toBe(first);
    expect(buildOf(synthesized({ parallelism: 2 }))).not.toBe(buildOf(synthesized()));
  });

  it('are bundled with a warning when the job asks where its module is: no file is beside it there', () => {
    const entry = join(folder, 'placed.mts');
    const api = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));
    writeFileSync(
      entry,
      `import { defineJob, kafkaSource, utf8 } from '${api}';
      export const later = () => new URL('./words.txt', import.meta.url);
      export default defineJob('placed', (job) => void job.source('read', kafkaSource({ topic: 'a', value: utf8 })));`,
    );
    const stack = new Stack(newApp({}), 'Test');
    new StreamJob(stack, 'Job', { job: entry, kafka: { brokers: 'b:9092' } });
    Annotations.fromStack(stack).hasWarning('/Test/Job/Functions', Match.stringLikeRegexp('placed.mts:2 asks where the module is'));
  });

  it('reserve concurrency only when that is asked for (ONCEFLOW_OPERATOR_CONCURRENCY)', () => {
    expect([...functions.values()].some((properties) => 'ReservedConcurrentExecutions' in properties)).toBe(false);
    synthesized({ parameters: { ONCEFLOW_OPERATOR_CONCURRENCY: '1' } }).hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'word-count-operator-count-words-0',
      ReservedConcurrentExecutions: 1,
    });
  });

  it('are never invoked again by the platform, nor later than a tick: the next tick is the retry', () => {
    template.resourceCountIs('AWS::Lambda::EventInvokeConfig', 1);
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('Coordinator') },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it('of an operator are as many as a range of subtasks allows', () => {
    const ranging = synthesized({ parallelism: '1..3' });
    const names = Object.values(ranging.findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties.FunctionName);
    expect(names.filter((name: string) => name.includes('operator'))).toEqual([0, 1, 2].map((n) => `word-count-operator-count-words-${n}`));
  });

  it('fit into a stack, as many as are allowed', () => {
    const widest = synthesized({ parallelism: 400, parameters: { ONCEFLOW_MAX_PARALLELISM: '400' } });
    expect(Object.keys(widest.toJSON().Resources as object).length).toBeLessThan(500);
  });

  it('write logs that are kept for ONCEFLOW_LOG_RETENTION_DAYS', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    template.resourceCountIs('AWS::Logs::LogGroup', 4);
    synthesized({ parameters: { ONCEFLOW_LOG_RETENTION_DAYS: '7' } }).allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
  });

  it('have ONCEFLOW_FUNCTION_MEMORY_MB, and the coordinator ONCEFLOW_COORDINATOR_MEMORY_MB and ONCEFLOW_COORDINATOR_LIFETIME_MS', () => {
    const asked = synthesized({
      parameters: {
        ONCEFLOW_FUNCTION_MEMORY_MB: '2048',
        ONCEFLOW_COORDINATOR_MEMORY_MB: '256',
        ONCEFLOW_COORDINATOR_LIFETIME_MS: '600000',
      },
    });
    asked.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'word-count-source', MemorySize: 2048 });
    asked.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'word-count-coordinator', MemorySize: 256, Timeout: 600 });
  });

  it('of operators have a disk of operatorStorageMb (ONCEFLOW_OPERATOR_STORAGE_MB), between 512 MB and 10,240; the others have that of every function', () => {
    const asked = synthesized({ operatorStorageMb: 2048 });
    asked.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'word-count-operator-count-words-0',
      EphemeralStorage: { Size: 2048 },
    });
    asked.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'word-count-sink', EphemeralStorage: Match.absent() });
    expect(() => synthesized({ operatorStorageMb: 511 })).toThrow(/ONCEFLOW_OPERATOR_STORAGE_MB.*512/s);
  });

  it('have memory for the bound of their state and 300 MB, or nothing is deployed', () => {
    const bound = (bytes: number) => ({ parameters: { ONCEFLOW_FUNCTION_MEMORY_MB: '400', ONCEFLOW_STATE_MEMORY_BYTES: `${bytes}` } });
    synthesized(bound(100 * 1024 * 1024)).hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'word-count-sink' });
    expect(() => synthesized(bound(100 * 1024 * 1024 + 1))).toThrow(
      /ONCEFLOW_STATE_MEMORY_BYTES.*at most 104857600.*ONCEFLOW_FUNCTION_MEMORY_MB/s,
    );
  });

  it('have names that begin with ONCEFLOW_FUNCTION_PREFIX where it is given', () => {
    const asked = synthesized({ parameters: { ONCEFLOW_FUNCTION_PREFIX: 'second' } });
    asked.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'second-coordinator' });
  });

  it('run in the VPC that Kafka is in', () => {
    const stack = new Stack(newApp(unbundled), 'Test');
    const vpc = new Vpc(stack, 'Vpc');
    new StreamJob(stack, 'Job', { job: './jobs/word-count.ts', kafka: { brokers: 'b:9092', network: { vpc } } });
    const inVpc = Template.fromStack(stack);
    inVpc.allResourcesProperties('AWS::Lambda::Function', {
      VpcConfig: {
        SubnetIds: Match.anyValue(),
        SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('SecurityGroup'), 'GroupId'] }],
      },
    });
    inVpc.resourceCountIs('AWS::EC2::SecurityGroup', 1);
  });
});

describe('the trigger', () => {
  it('is a tick for the coordinator every minute, and nothing else invokes anything', () => {
    template.resourceCountIs('AWS::Events::Rule', 1);
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Coordinator'), 'Arn'] },
          Input: '{"ask":"tick"}',
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
        }),
      ],
    });
    template.resourceCountIs('AWS::Lambda::Permission', 1);
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 0);
  });
});

describe('roles', () => {
  interface Statement {
    readonly Action: string | readonly string[];
    readonly Resource: unknown;
    readonly Condition?: unknown;
  }

  function statementsOf(of: string, made = template, job = 'word-count'): Statement[] {
    const roles = Object.values(made.findResources('AWS::IAM::Role') as Record<string, Resource>).filter(
      ({ Properties }) => Properties['Description'] === `${of} of job ${job}`,
    );
    return roles.flatMap(({ Properties }) =>
      (Properties['Policies'] as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(
        ({ PolicyDocument }) => PolicyDocument.Statement,
      ),
    );
  }

  const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];

  it.each([
    [
      'coordinator',
      [
        'dynamodb:ConditionCheckItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        'lambda:InvokeFunction',
        ...LOGS,
        's3:DeleteObject',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
      ],
    ],
    ['source', [...LOGS, 's3:GetObject', 's3:ListBucket', 's3:PutObject']],
    ['operator', [...LOGS, 's3:GetObject', 's3:ListBucket', 's3:PutObject']],
    ['sink', [...LOGS, 's3:GetObject', 's3:ListBucket']],
  ])('of the %s allow exactly what its code calls', (role, actions) => {
    const allowed = statementsOf(role).flatMap(({ Action }) => Action);
    expect(allowed.sort()).toEqual(actions);
  });

  it("reach the job's own rows, blobs and functions only", () => {
    const [rows, blobs, , invoke] = statementsOf('coordinator').filter(({ Action }) => !String(Action).startsWith('logs:'));
    expect(rows?.Condition).toEqual({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['word-count'] } });
    expect(JSON.stringify(blobs?.Resource)).toContain('"/word-count/*"');
    expect(JSON.stringify(invoke?.Resource)).toMatch(
      /function:word-count-source.*function:word-count-sink.*function:word-count-operator-\*/,
    );
    for (const role of ['coordinator', 'source', 'operator', 'sink'])
      for (const { Resource } of statementsOf(role)) expect(JSON.stringify(Resource)).not.toBe('"*"');
  });

  it('are all that there is: nothing gets a policy from elsewhere', () => {
    template.resourceCountIs('AWS::IAM::Role', 4);
    template.resourceCountIs('AWS::IAM::Policy', 0);
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  const EVERYWHERE = './test/support/everywhere-job.ts';
  const AT = {
    files: 'arn:aws:s3:::test-bucket',
    items: 'arn:aws:dynamodb:us-east-1:123456789012:table/test-items',
  };
  const env = { account: '123456789012', region: 'us-east-1' };

  /** By resource of a sink, what a role may do there. */
  function atSinks(role: string, made: Template): Record<string, readonly string[]> {
    const found = statementsOf(role, made, 'everywhere').flatMap(({ Action, Resource: on }) => {
      const text = JSON.stringify(on).replaceAll('{"Ref":"AWS::Partition"}', '"aws"');
      const arn = on !== null && typeof on === 'object' ? joined(on) : String(on);
      return /test-(bucket|items)/.test(text) ? [[arn, [Action].flat()] as const] : [];
    });
    return Object.fromEntries(found);
  }

  /** An ARN of which the partition is not known yet. */
  function joined(resource: object): string {
    const { 'Fn::Join': [, parts] = ['', []] } = resource as { readonly 'Fn::Join'?: readonly [string, readonly unknown[]] };
    return parts.map((part) => (typeof part === 'string' ? part : 'aws')).join('');
  }

  it('reach what the sinks of the job name, with exactly what their connectors call', () => {
    const stack = new Stack(newApp(unbundled), 'Test', { env });
    new StreamJob(stack, 'Job', { job: EVERYWHERE, kafka: { brokers: 'b:9092' } });
    const made = Template.fromStack(stack);
    expect(atSinks('sink', made)).toEqual({
      [`${AT.files}/counts/*`]: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
      [AT.files]: ['s3:ListBucket'],
      [AT.items]: ['dynamodb:DeleteItem', 'dynamodb:PutItem'],
      [`${AT.items}-ledger`]: ['dynamodb:GetItem', 'dynamodb:PutItem'],
    });
    expect(atSinks('coordinator', made)).toEqual({
      [`${AT.files}/counts/*`]: ['s3:AbortMultipartUpload'],
      [AT.files]: ['s3:ListBucketMultipartUploads'],
      [AT.items]: ['dynamodb:DescribeTable'],
      [`${AT.items}-ledger`]: ['dynamodb:DescribeTable'],
    });
    for (const role of ['source', 'operator']) expect(atSinks(role, made)).toEqual({});
  });

  it('are given for other buckets and tables by grantWriteFiles and grantWriteItems, with the keys that encrypt them', () => {
    const stack = new Stack(newApp(unbundled), 'Test', { env });
    const job = new StreamJob(stack, 'Job', { job: EVERYWHERE, kafka: { brokers: 'b:9092' } });
    const key = new Key(stack, 'Key');
    job.grantWriteFiles(new Bucket(stack, 'Lake', { encryptionKey: key }), 'before').assertSuccess();
    const partitionKey = { name: 'id', type: AttributeType.STRING };
    job.grantWriteItems(new Table(stack, 'Rows', { partitionKey }), new Table(stack, 'Ledger', { partitionKey })).assertSuccess();
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy') as Record<string, Resource>).map(
      ({ Properties }) => (Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] }).Statement,
    );
    const actions = (of: readonly Statement[] | undefined) => (of ?? []).map(({ Action }) => [Action].flat().sort().join(' ')).sort();
    const bySize = policies.sort((one, other) => other.length - one.length);
    expect(bySize).toHaveLength(2);
    expect(actions(bySize[0])).toEqual([
      'dynamodb:DeleteItem dynamodb:PutItem',
      'dynamodb:GetItem dynamodb:PutItem',
      'kms:Decrypt kms:GenerateDataKey',
      's3:AbortMultipartUpload s3:GetObject s3:ListMultipartUploadParts s3:PutObject',
      's3:ListBucket',
    ]);
    expect(actions(bySize[1])).toEqual([
      'dynamodb:DescribeTable',
      'dynamodb:DescribeTable',
      's3:AbortMultipartUpload',
      's3:ListBucketMultipartUploads',
    ]);
    expect(JSON.stringify(bySize[0])).toContain('"/before/*"');
  });
});
