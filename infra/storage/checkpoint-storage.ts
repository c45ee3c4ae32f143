import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import { AttributeType, Billing, type ITable, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';

/** Both carry the job's name under it, so that they are found when their stack is gone. */
export const JOB_TAG = 'onceflow:job';

/** Table and bucket of an earlier deployment. */
export interface AdoptedStorage {
  readonly tableName: string;
  readonly bucketName: string;
  /** What the names of the blobs begin with, without slashes at its ends; empty: nothing. */
  readonly blobPrefix: string;
}

export interface CheckpointStorageProps {
  /** Name of the job. */
  readonly job: string;
  /**
   * What becomes of table and bucket when the stack is deleted. `retain` also protects the table from deletion. With `destroy`
   * the bucket has to be empty: "npx onceflow cancel --retention delete" empties it.
   */
  readonly removal: 'retain' | 'destroy';
  /** Undefined: both are made. What is adopted stays as it is, and is no part of the stack. */
  readonly adopt: AdoptedStorage | undefined;
}

/** What a job keeps: the table of jobs and epochs (ONCEFLOW_TABLE) and the bucket of blobs (ONCEFLOW_BLOBS). */
export class CheckpointStorage extends Construct {
  /** Of jobs and epochs. */
  readonly table: ITable;
  /** Of exchanges, staged output and snapshots. */
  readonly blobs: IBucket;
  /** As in `AdoptedStorage`. */
  readonly blobPrefix: string;

  constructor(scope: Construct, id: string, { job, removal, adopt }: CheckpointStorageProps) {
    super(scope, id);
    if (adopt === undefined) {
      this.table = this.makeTable(removal === 'retain');
      this.blobs = this.makeBucket(removal === 'retain');
      Tags.of(this).add(JOB_TAG, job);
    } else {
      this.table = TableV2.fromTableName(this, 'Epochs', adopt.tableName);
      this.blobs = Bucket.fromBucketName(this, 'Blobs', adopt.bucketName);
    }
    this.blobPrefix = adopt?.blobPrefix ?? '';
  }

  /** ONCEFLOW_BLOBS. */
  get location(): string {
    return `s3://${[this.blobs.bucketName, this.blobPrefix].filter((part) => part !== '').join('/')}`;
  }

  private makeTable(keep: boolean): TableV2 {
    const table = new TableV2(this, 'Epochs', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      // Only rows of retired epochs carry it.
      timeToLiveAttribute: 'expiresAt',
      // The rows say what was committed: without them a job cannot go on exactly once.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keep },
      deletionProtection: keep,
      removalPolicy: removalPolicyOf(keep),
    });
    if (!keep)
      acknowledge(table, {
        'AwsSolutions-DDB3': 'The deployment was asked to be thrown away with its data (ONCEFLOW_REMOVAL=destroy).',
      });
    return table;
  }

  private makeBucket(keep: boolean): Bucket {
    const blobs = new Bucket(this, 'Blobs', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      // No expiry by age: an old snapshot may be the base of today's state. The engine deletes what no manifest names;
      // what it cannot see are uploads that were begun and never finished.
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: removalPolicyOf(keep),
    });
    acknowledge(blobs, {
      'AwsSolutions-S1':
        "Every object is named, checksummed and referred to by a manifest; access logs would cost a write for each of the engine's own, and CloudTrail data events can be switched on where an audit asks for them.",
    });
    return blobs;
  }
}

function removalPolicyOf(keep: boolean): RemovalPolicy {
  return keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}
