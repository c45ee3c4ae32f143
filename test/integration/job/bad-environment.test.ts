import { describe, expect, it } from 'vitest';
import { newDoor } from '../../support/doors.ts';
import { brokers } from '../../support/kafka-wire.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

async function messageOfFailure(env: Readonly<Record<string, string>>): Promise<string> {
  const count = await newWordCount();
  await count.write(someLines(3));
  const { end, message } = await count.job.start(env).ended;
  expect(end).toBe('failed');
  return message;
}

describe('a job is refused, saying what to change,', () => {
  it('with a checkpoint timeout of 5 s and a transaction timeout of 5 s, as in the classic article: the sum does not fit', async () => {
    const message = await messageOfFailure({ ONCEFLOW_EPOCH_TIMEOUT_MS: '5000', ONCEFLOW_TRANSACTION_TIMEOUT_MS: '5000' });
    expect(message).toContain(
      'epoch timeout 5000 ms (ONCEFLOW_EPOCH_TIMEOUT_MS) + commit timeout 30000 ms (ONCEFLOW_COMMIT_TIMEOUT_MS) + worst recovery 120000 ms (ONCEFLOW_RECOVERY_TIMEOUT_MS) = 155000 ms, ' +
        'which is not below the transaction timeout 5000 ms (ONCEFLOW_TRANSACTION_TIMEOUT_MS)',
    );
    expect(message).toContain('raise ONCEFLOW_TRANSACTION_TIMEOUT_MS above 155000 (the broker allows up to 900000)');
  });

  it('when ONCEFLOW_TABLE is missing', async () => {
    const message = await messageOfFailure({ ONCEFLOW_TABLE: 'no-such-table' });
    expect(message).toMatch(
      /table no-such-table \(ONCEFLOW_TABLE; region us-east-1, endpoint http:.*\) failed: ResourceNotFoundException: .*; create it, or correct/,
    );
  });

  it('when the bucket of ONCEFLOW_BLOBS is missing', async () => {
    const message = await messageOfFailure({ ONCEFLOW_BLOBS: 's3://no-such-bucket-anywhere', ONCEFLOW_INLINE_BLOB_BYTES: '0' });
    expect(message).toMatch(/bucket no-such-bucket-anywhere.* \(ONCEFLOW_BLOBS; .*NoSuchBucket.*; create it, or correct/);
  });

  it('when there are no credentials', async () => {
    const message = await messageOfFailure({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', HOME: '/nonexistent' });
    expect(message).toMatch(/CredentialsProviderError: .*; correct the credentials \(AWS_ACCESS_KEY_ID/);
  });
});

describe('a job that is started before its store and its broker are up', () => {
  it('says which it waits for, ONCEFLOW_BROKERS included, and runs when they are there', async () => {
    const store = new URL(process.env['AWS_ENDPOINT_URL'] ?? '');
    const [storeDoor, brokerDoor] = await Promise.all([newDoor(store.host), newDoor(brokers()[0] ?? '')]);
    const count = await newWordCount();
    await count.write(someLines(30));
    const run = count.job.start({ AWS_ENDPOINT_URL: `http://${storeDoor.address}`, ONCEFLOW_BROKERS: brokerDoor.address });
    const onStore = await run.event('waiting');
    expect(onStore.what).toMatch(
      new RegExp(`reading the job row: DynamoDB GetItem on table .* endpoint http://${storeDoor.address}\\) failed: .*ECONNREFUSED`),
    );
    await storeDoor.open();
    const onBroker = await run.event('waiting', ({ what }) => what !== onStore.what && !what.startsWith('reading the job row'));
    expect(onBroker.what).toContain(`no answer from the brokers ${brokerDoor.address}`);
    expect(onBroker.what).toContain('is ONCEFLOW_BROKERS right');
    await brokerDoor.open();
    await count.expectExact(run);
  });
});
