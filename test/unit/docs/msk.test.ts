import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App, type Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

// The CDK loads a library at the first use of each of its parts.
vi.setConfig({ testTimeout: 120_000 });

const ARN = 'arn:aws:kafka:eu-west-1:123456789012:cluster/onceflow/0123-4567';
const BROKERS = 'b-1.onceflow.example:9098,b-2.onceflow.example:9098';
const [code = ''] = [...readFileSync('docs/msk.md', 'utf8').matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm)].map(
  ({ groups }) => groups?.['code'] ?? '',
);

/** The stacks of the page's app, as `cdk` would have them with this context. */
async function stacksOf(context: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Stack>> {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-msk-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const outdir = join(folder, 'cdk.out');
  const module = join(folder, 'app.ts');
  const whole = code
    .replace("'onceflow/cdk'", JSON.stringify(resolve('infra/index.ts')))
    .replace("'./src/job.ts'", JSON.stringify(resolve('jobs/word-count.ts')))
    .replace('new App()', `new App(${JSON.stringify({ outdir, context: { 'aws:cdk:bundling-stacks': [], ...context } })})`);
  writeFileSync(module, `${whole}\nexport { app };\n`);
  const { app } = (await import(pathToFileURL(module).href)) as { readonly app: App };
  expect(App.isApp(app)).toBe(true);
  return new Map(app.node.children.map((stack) => [stack.node.id, stack as Stack]));
}

describe('the app of docs/msk.md', () => {
  it('has the cluster alone until its brokers are known', async () => {
    expect([...(await stacksOf({})).keys()]).toEqual(['Kafka']);
  });

  it('lets clients reach the brokers at the port of IAM alone, and needs no NAT', async () => {
    const template = Template.fromStack((await stacksOf({})).get('Kafka') as Stack);
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::InternetGateway', 0);
    const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress')).map(({ Properties }) => Properties);
    expect(rules.filter(({ Description }) => Description === 'login by IAM')).toMatchObject([{ FromPort: 9098, ToPort: 9098 }]);
    const services = Object.values(template.findResources('AWS::EC2::VPCEndpoint')).map(({ Properties }) =>
      JSON.stringify(Properties.ServiceName),
    );
    for (const service of ['s3', 'dynamodb', 'lambda']) expect(services.filter((name) => name.includes(service))).toHaveLength(1);
  });

  it('has three brokers that log in by IAM over TLS, acknowledge twice, and elect nobody who lacks records', async () => {
    const template = Template.fromStack((await stacksOf({})).get('Kafka') as Stack);
    template.hasResourceProperties('AWS::MSK::Cluster', {
      NumberOfBrokerNodes: 3,
      BrokerNodeGroupInfo: Match.objectLike({ ClientSubnets: [Match.anyValue(), Match.anyValue(), Match.anyValue()] }),
      ClientAuthentication: { Sasl: { Iam: { Enabled: true } }, Unauthenticated: { Enabled: false } },
      EncryptionInfo: { EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true } },
    });
    const [configuration] = Object.values(template.findResources('AWS::MSK::Configuration'));
    const properties = JSON.stringify(configuration);
    for (const line of ['unclean.leader.election.enable=false', 'min.insync.replicas=2', 'default.replication.factor=3'])
      expect(properties).toContain(line);
    template.resourcePropertiesCountIs('AWS::MSK::Topic', { ReplicationFactor: 3, PartitionCount: 6 }, 2);
  });

  it('has the job with them: in the subnets and the group of clients, with rights on the cluster that it names', async () => {
    const stacks = await stacksOf({ brokers: BROKERS, clusterArn: ARN });
    const template = Template.fromStack(stacks.get('ClickCounts') as Stack);
    const functions = Object.values(template.findResources('AWS::Lambda::Function')).filter(({ Properties }) =>
      /^word-count-/.test(Properties.FunctionName),
    );
    expect(functions).toHaveLength(4);
    for (const { Properties } of functions) {
      expect(Properties.VpcConfig.SubnetIds).toHaveLength(3);
      expect(JSON.stringify(Properties.VpcConfig.SecurityGroupIds)).toContain('Clients');
      expect(Properties.Environment.Variables).toMatchObject({ ONCEFLOW_BROKERS: BROKERS, ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' });
    }
    const roles = JSON.stringify(template.findResources('AWS::IAM::Role'));
    expect(roles).toContain('kafka-cluster:AlterTransactionalId');
    expect(roles).toContain(ARN.replace(':cluster/', ':topic/'));
  });
});
