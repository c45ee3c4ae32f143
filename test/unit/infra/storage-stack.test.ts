import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { StorageStack } from '../../../infra/storage-stack.ts';
import { TTL_ATTRIBUTE } from '../../../lib/aws/dynamo-rows.ts';

const template = Template.fromStack(new StorageStack(new App(), 'Storage'));

test('the deployed table has the keys and the time to live that the epoch store writes', () => {
  template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
  });
});

test('table and bucket outlive their stack', () => {
  template.hasResource('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
});

test('no blob expires by age: an old snapshot may be the base of the current state', () => {
  template.hasResourceProperties('AWS::S3::Bucket', {
    LifecycleConfiguration: { Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }] },
  });
  expect(
    template.findResources(
      'AWS::S3::Bucket',
      Match.objectLike({ Properties: { LifecycleConfiguration: { Rules: [{ ExpirationInDays: Match.anyValue() }] } } }),
    ),
  ).toEqual({});
});
