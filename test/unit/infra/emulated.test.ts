import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { afterAll, expect, it } from 'vitest';
import { StreamJob, type StreamJobProps } from '../../../infra/stream-job.ts';
import { EMULATED_BROKERS, EMULATED_JOB } from '../../../lib/config/emulated.ts';

const outdir = mkdtempSync(join(tmpdir(), 'onceflow-infra-'));
afterAll(() => rmSync(outdir, { recursive: true }));

/** @param context besides that nothing is bundled, which takes seconds */
function synthesized(context: Readonly<Record<string, string>>, change: (stack: Stack) => Partial<StreamJobProps>): Template {
  const stack = new Stack(new App({ outdir, context: { 'aws:cdk:bundling-stacks': [], ...context } }), 'Test');
  const job = { job: './jobs/word-count.ts', kafka: { brokers: 'broker.example.com:9092' } };
  new StreamJob(stack, 'Words', { ...job, ...change(stack) });
  return Template.fromStack(stack);
}

const onEmulator = { [EMULATED_BROKERS]: '127.0.0.1:20001' };

interface Resource {
  readonly Properties: { readonly FunctionName: string; readonly Environment: { readonly Variables: Record<string, string> } };
  readonly Metadata?: Record<string, unknown>;
}

function functionsOf(template: Template): Resource[] {
  return Object.values(template.findResources('AWS::Lambda::Function') as Record<string, Resource>);
}

it('a job that is deployed to an emulator has its brokers, and nothing that is there on AWS alone', () => {
  const template = synthesized(onEmulator, (stack) => ({
    kafka: { brokers: 'broker.example.com:9092', network: { vpc: new Vpc(stack, 'Vpc') } },
    adopt: { table: 'earlier', blobs: 's3://earlier-bucket' },
    parallelism: 2,
    parameters: {
      ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
      ONCEFLOW_KAFKA_CLUSTER_ARN: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/0123-4567',
      ONCEFLOW_ALARM_TOPIC: 'arn:aws:sns:us-east-1:123456789012:alarms',
    },
  }));
  const functions = functionsOf(template);
  expect(functions).toHaveLength(5);
  for (const { Properties } of functions) {
    expect(Properties).not.toHaveProperty('VpcConfig');
    const variables = Properties.Environment.Variables;
    expect(variables).toMatchObject({ ONCEFLOW_BROKERS: '127.0.0.1:20001', ONCEFLOW_PARALLELISM: '2' });
    expect(Object.keys(variables).filter((name) => name.startsWith('ONCEFLOW_KAFKA_'))).toEqual([]);
  }
  template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
  template.hasResource('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Delete' });
});

it('the one broker of an emulator stands for each cluster that has a name, and has the topics of all', () => {
  const template = synthesized(onEmulator, () => ({
    job: './test/support/two-clusters-job.ts',
    kafka: { brokers: 'b:9092', clusters: { guarded: { brokers: 'g:9098', securityProtocol: 'SSL' } } },
  }));
  for (const { Properties } of functionsOf(template)) {
    const variables = Object.entries(Properties.Environment.Variables).filter(([name]) => name.startsWith('ONCEFLOW_KAFKA_'));
    expect(variables).toEqual([['ONCEFLOW_KAFKA_GUARDED_BROKERS', '127.0.0.1:20001']]);
  }
  const told = functionsOf(template).flatMap(({ Metadata }) => Metadata?.[EMULATED_JOB] ?? []);
  expect(told).toMatchObject([{ sources: [{ topic: 'lines' }, { topic: 'lines' }], writes: ['counts', 'counts'] }]);
});

it('it tells the command what it is: name, topics, coordinator, and the outputs that name its storage', () => {
  const template = synthesized(onEmulator, () => ({ parameters: { ONCEFLOW_FUNCTION_PREFIX: 'shop' } }));
  const told = functionsOf(template).flatMap(({ Metadata }) => Metadata?.[EMULATED_JOB] ?? []);
  const outputs = Object.keys(template.findOutputs('*'));
  const output = (name: string) => outputs.find((each) => each.startsWith(`Words${name}`));
  expect(told).toEqual([
    {
      name: 'word-count',
      sources: [{ uid: 'read-lines', topic: 'flink_kafka' }],
      writes: ['flink_kafka2'],
      functionName: 'shop-coordinator',
      outputs: { table: output('TableName'), blobs: output('BlobsLocation') },
    },
  ]);
});

it('a deployment to AWS tells nothing of it, and keeps its own brokers', () => {
  const functions = functionsOf(synthesized({}, () => ({})));
  expect(functions.filter(({ Metadata }) => Metadata?.[EMULATED_JOB] !== undefined)).toEqual([]);
  expect(functions[0]?.Properties.Environment.Variables['ONCEFLOW_BROKERS']).toBe('broker.example.com:9092');
});
