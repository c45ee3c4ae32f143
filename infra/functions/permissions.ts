import { type CfnElement, Stack, Token } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { FunctionRole } from '../../lib/config/function-names.ts';
import { acknowledge } from '../acknowledge.ts';
import { allow } from '../allow.ts';
import { kafkaAccess } from '../credentials/kafka-access.ts';
import type { DeploymentSettings } from '../settings.ts';
import { sinkAccess, type Where } from '../sinks/sink-access.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

export interface PermissionScope {
  readonly settings: DeploymentSettings;
  readonly job: string;
  readonly prefix: string;
  readonly storage: CheckpointStorage;
  /** The functions run in a VPC and make their own network interfaces. */
  readonly inVpc: boolean;
}

/** The role of one kind of function: exactly the actions that its code calls, on this job's own resources. */
export function roleOf(scope: Construct, id: string, role: FunctionRole, logs: LogGroup, on: PermissionScope): Role {
  const kafka = kafkaAccess(role, on.settings);
  const sinks = sinkAccess(role, on.settings, Stack.of(scope));
  const statements = [
    writeLogs(logs),
    ...statementsOf(scope, role, on),
    ...kafka.statements,
    ...sinks.statements,
    ...(on.inVpc ? [manageInterfaces()] : []),
  ];
  const made = new Role(scope, id, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `${role} of job ${on.job}`,
    inlinePolicies: { Own: new PolicyDocument({ statements }) },
  });
  acknowledgeWildcards(made, role, on, { ...kafka.wildcards, ...sinkAccess(role, on.settings, shownPlace(made)).wildcards });
  return made;
}

function statementsOf(scope: Construct, role: FunctionRole, on: PermissionScope): PolicyStatement[] {
  switch (role) {
    case 'coordinator':
      return [
        allow(
          ['dynamodb:ConditionCheckItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
          [on.storage.table.tableArn],
          {
            // Many jobs may share a table: each sees its own rows.
            'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [on.job] },
          },
        ),
        blobs(on, ['s3:DeleteObject', 's3:GetObject', 's3:PutObject']),
        list(on),
        allow(['lambda:InvokeFunction'], stageFunctions(scope, on.prefix)),
      ];
    case 'source':
    case 'operator':
      // Reading, besides: a write that finds its name taken compares.
      return [blobs(on, ['s3:GetObject', 's3:PutObject']), list(on)];
    case 'sink':
      return [blobs(on, ['s3:GetObject']), list(on)];
  }
}

/** Where a stack is, as it stands in the template. */
function shownPlace(of: Construct): Where {
  const { partition, region, account } = Stack.of(of);
  const text = (value: string, token: string) => (Token.isUnresolved(value) ? `<AWS::${token}>` : value);
  return { partition: text(partition, 'Partition'), region: text(region, 'Region'), account: text(account, 'AccountId') };
}

/** cdk-nag names a finding by what stands in the template. `others`: resources that have a wildcard, and why. */
function acknowledgeWildcards(made: Role, role: FunctionRole, on: PermissionScope, others: Readonly<Record<string, string>>): void {
  const stack = Stack.of(made);
  const { partition, region, account } = shownPlace(made);
  const where = [partition, 'lambda', region, account].join(':');
  const resource = on.storage.blobs.node.defaultChild as CfnElement | undefined;
  const bucket = resource === undefined ? `arn:${partition}:s3:::${on.storage.blobs.bucketName}` : `<${stack.getLogicalId(resource)}.Arn>`;
  acknowledge(made, {
    [`AwsSolutions-IAM5[Resource::${bucket}/${objectsOf(on)}]`]: "The job's own blobs, whose names the engine makes as it goes.",
    ...(role === 'coordinator'
      ? {
          [`AwsSolutions-IAM5[Resource::arn:${where}:function:${on.prefix}-operator-*]`]:
            "The job's own operator functions, one for each subtask: a list of them could outgrow a policy.",
        }
      : {}),
    ...Object.fromEntries(Object.entries(others).map(([name, reason]) => [`AwsSolutions-IAM5[Resource::${name}]`, reason])),
    ...(on.inVpc ? { 'AwsSolutions-IAM5[Resource::*]': 'A network interface has no name before it is made.' } : {}),
  });
}

function stageFunctions(scope: Construct, prefix: string): string[] {
  const { partition, region, account } = Stack.of(scope);
  const named = (name: string) => `arn:${partition}:lambda:${region}:${account}:function:${name}`;
  return [named(`${prefix}-source`), named(`${prefix}-sink`), named(`${prefix}-operator-*`)];
}

function blobs(on: PermissionScope, actions: string[]): PolicyStatement {
  return allow(actions, [on.storage.blobs.arnForObjects(objectsOf(on))]);
}

function objectsOf({ storage, job }: PermissionScope): string {
  return [storage.blobPrefix, job, '*'].filter((part) => part !== '').join('/');
}

/** Without it S3 answers "access denied" for an object that is missing, and a lost blob would look like a wrong policy. */
function list({ storage }: PermissionScope): PolicyStatement {
  return allow(['s3:ListBucket'], [storage.blobs.bucketArn]);
}

function writeLogs(logs: LogGroup): PolicyStatement {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logs.logGroupArn]);
}

function manageInterfaces(): PolicyStatement {
  return allow(
    [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:UnassignPrivateIpAddresses',
    ],
    ['*'],
  );
}
