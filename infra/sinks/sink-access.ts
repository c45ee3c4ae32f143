import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { parseBlobLocation } from '../../lib/config/blob-location.ts';
import type { FunctionRole } from '../../lib/config/function-names.ts';
import { allow } from '../allow.ts';
import type { DeploymentSettings } from '../settings.ts';
import type { SinkTarget } from './sink-target.ts';

/** What a role may do where the job's sinks write to, beside Kafka: exactly the actions that its connectors call (docs/sinks.md). */
export interface SinkAccess {
  readonly statements: readonly PolicyStatement[];
  /** Resources with a wildcard, and why they have one. */
  readonly wildcards: Readonly<Record<string, string>>;
}

/** Actions by what they are on. Of the coordinator: it tries locations at the start, and ends what a crash has left open. */
const FILE_ACTIONS = {
  sink: {
    objects: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
    // Without it S3 answers "access denied" for a file that is not there.
    bucket: ['s3:ListBucket'],
  },
  coordinator: { objects: ['s3:AbortMultipartUpload'], bucket: ['s3:ListBucketMultipartUploads'] },
} as const;
const ITEM_ACTIONS = {
  sink: { table: ['dynamodb:DeleteItem', 'dynamodb:PutItem'], ledger: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
  coordinator: { table: ['dynamodb:DescribeTable'], ledger: ['dynamodb:DescribeTable'] },
} as const;
/** Those of a role that has none have no rights there. */
type WritingRole = keyof typeof FILE_ACTIONS & keyof typeof ITEM_ACTIONS;

const WILDCARD = "The job's own files, whose names the engine makes as it goes.";

/** How resources of the deployment's account and region are named. */
export interface Where {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** For all sinks of a job, by the names that its plan says. */
export function sinkAccess(role: FunctionRole, { job }: Pick<DeploymentSettings, 'job'>, where: Where): SinkAccess {
  if (!isWriting(role)) return { statements: [], wildcards: {} };
  const targets = job.plan.stages.flatMap((stage) => (stage.kind === 'sink' ? [stage.to] : []));
  const each = targets.map((target) => (accesses[target.kind] as AccessOf<SinkTarget>)(role, target, where));
  return {
    statements: each.flatMap(({ statements }) => statements),
    wildcards: Object.assign({}, ...each.map(({ wildcards }) => wildcards)),
  };
}

type AccessOf<Target> = (role: WritingRole, target: Target, where: Where) => SinkAccess;

const NONE: SinkAccess = { statements: [], wildcards: {} };

/** By kind of sink. A new one is a line here: without it this does not compile. */
const accesses: { readonly [K in SinkTarget['kind']]: AccessOf<Extract<SinkTarget, { readonly kind: K }>> } = {
  // Brokers are asked in another place (infra/credentials).
  kafka: () => NONE,
  // What its function speaks to is known to its author alone.
  deliver: () => NONE,
  files: (role, target, where) => {
    const location = parseBlobLocation(target.location);
    if (location?.kind !== 's3') return NONE;
    const { statements, objects } = fileStatements(role, `arn:${where.partition}:s3:::${location.bucket}`, location.prefix);
    return { statements, wildcards: { [objects]: WILDCARD } };
  },
  dynamodb: (role, { table, ledgerTable }, { partition, region, account }) => {
    const arn = (name: string) => `arn:${partition}:dynamodb:${region}:${account}:table/${name}`;
    return { statements: itemStatements(role, arn(table), arn(ledgerTable)), wildcards: {} };
  },
};

/** On files in a bucket, below `prefix`, which has no slashes at its ends; empty: on all. */
export function fileStatements(
  role: WritingRole,
  bucketArn: string,
  prefix: string,
): { readonly statements: readonly PolicyStatement[]; readonly objects: string } {
  const { objects: onObjects, bucket: onBucket } = FILE_ACTIONS[role];
  const objects = [bucketArn, prefix, '*'].filter((part) => part !== '').join('/');
  return { objects, statements: [allow([...onObjects], [objects]), allow([...onBucket], [bucketArn])] };
}

/** On the items of a table, and on the ledger, which may be in another one. */
export function itemStatements(role: WritingRole, tableArn: string, ledgerArn: string): readonly PolicyStatement[] {
  const { table, ledger } = ITEM_ACTIONS[role];
  if (tableArn === ledgerArn) return [allow([...new Set([...table, ...ledger])], [tableArn])];
  return [allow([...table], [tableArn]), allow([...ledger], [ledgerArn])];
}

function isWriting(role: FunctionRole): role is WritingRole {
  return Object.hasOwn(FILE_ACTIONS, role);
}
