/**
 * `npm run check` runs it: cdk-nag's rules for AWS solutions over everything that a deployment can have. What is right as it
 * is carries its reason where it is made (`acknowledge`). Ends with exit code 1 when a rule is broken.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { AwsSolutionsChecks } from 'cdk-nag';
import { StreamJob } from './stream-job.ts';

const outdir = mkdtempSync(join(tmpdir(), 'onceflow-nag-'));
process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));

// The rules look at resources, not at code.
const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
const job = { job: './jobs/word-count.ts', kafka: { brokers: 'broker.example.com:9092' } };
new StreamJob(new Stack(app, 'Kept'), 'Job', { ...job, parallelism: 2 });
new StreamJob(new Stack(app, 'ThrownAway'), 'Job', { ...job, parameters: { ONCEFLOW_REMOVAL: 'destroy' } });
new StreamJob(new Stack(app, 'Adopting'), 'Job', { ...job, adopt: { table: 'earlier', blobs: 's3://earlier-bucket/jobs' } });
const secured = { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' };
const withSecret = {
  ...secured,
  ONCEFLOW_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  ONCEFLOW_KAFKA_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_job-AbCdEf',
  ONCEFLOW_KAFKA_SECRET_KEY_ARN: 'arn:aws:kms:us-east-1:123456789012:key/0123-4567',
};
new StreamJob(new Stack(app, 'WithSecret'), 'Job', { ...job, parameters: withSecret });
const withIam = {
  ...secured,
  ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
  ONCEFLOW_KAFKA_CLUSTER_ARN: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/0123-4567',
};
new StreamJob(new Stack(app, 'WithIam'), 'Job', { ...job, parameters: withIam });
new StreamJob(new Stack(app, 'Writing'), 'Job', { ...job, job: './test/support/everywhere-job.ts' });
const inVpc = new Stack(app, 'InVpc');
const vpc = Vpc.fromVpcAttributes(inVpc, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['us-east-1a'],
  privateSubnetIds: ['subnet-0123456789abcdef0'],
});
new StreamJob(inVpc, 'Job', { ...job, kafka: { ...job.kafka, network: { vpc } } });

try {
  app.synth();
} catch (error) {
  // The findings have been printed.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
