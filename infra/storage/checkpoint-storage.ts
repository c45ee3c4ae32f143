import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';

export interface CheckpointStorageProps {
  /**
   * What becomes of table and bucket when the stack is deleted. `retain` also protects the table from deletion. With `destroy`
   * the bucket has to be empty: "npx onceflow cancel --retention delete" empties it.
   */
  readonly removal: 'retain' | 'destroy';
}

/** What a job keeps: the table of jobs and epochs (ONCEFLOW_TABLE) and the bucket of blobs (ONCEFLOW_BLOBS). */
export class CheckpointStorage extends Construct {
  readonly table: TableV2;
  readonly blobs: Bucket;

  constructor(scope: Construct, id: string, { removal }: CheckpointStorageProps) {
    super(scope, id);
    const keep = removal === 'retain';
    const removalPolicy = keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    this.table = new TableV2(this, 'Epochs', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      // Only rows of retired epochs carry it.
      timeToLiveAttribute: 'expiresAt',
      // The rows say what was committed: without them a job cannot go on exactly once.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keep },
      deletionProtection: keep,
      removalPolicy,
    });

    this.blobs = new Bucket(this, 'Blobs', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      // No expiry by age: an old snapshot may be the base of today's state. The engine deletes what no manifest names;
      // what it cannot see are uploads that were begun and never finished.
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy,
    });

    acknowledge(this.blobs, {
      'AwsSolutions-S1':
        "Every object is named, checksummed and referred to by a manifest; access logs would cost a write for each of the engine's own, and CloudTrail data events can be switched on where an audit asks for them.",
    });
    if (!keep)
      acknowledge(this.table, {
        'AwsSolutions-DDB3': 'The deployment was asked to be thrown away with its data (ONCEFLOW_REMOVAL=destroy).',
      });
  }
}
