import { describe, expect, it } from 'vitest';
import { givenBy, readSettings } from '../../../infra/settings.ts';

const given = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'broker.example.com:9092' };

describe('the settings of a deployment', () => {
  it('come from the environment and from the context, and leave everything else alone', () => {
    expect(givenBy({ ONCEFLOW_BROKERS: 'a:1', HOME: '/root', ONCEFLOW_TOPICS: '' }, { ONCEFLOW_PARALLELISM: 4, 'aws:cdk': true })).toEqual({
      ONCEFLOW_BROKERS: 'a:1',
      ONCEFLOW_PARALLELISM: '4',
    });
  });

  it('are refused when environment and context contradict each other', () => {
    expect(() => givenBy({ ONCEFLOW_PARALLELISM: '2' }, { ONCEFLOW_PARALLELISM: '4' })).toThrow(
      /ONCEFLOW_PARALLELISM is "4": it must be what the environment says, "2"; leave one of the two out/,
    );
  });

  it('hand to functions what was given and what a function reads', () => {
    const { environment, prefix } = readSettings({
      ...given,
      ONCEFLOW_PARALLELISM: '2',
      ONCEFLOW_REMOVAL: 'destroy',
      ONCEFLOW_STACK: 'external',
    });
    expect(environment).toEqual({ ONCEFLOW_BROKERS: 'broker.example.com:9092', ONCEFLOW_PARALLELISM: '2' });
    expect(prefix).toBe('word-count');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['no brokers', { ONCEFLOW_BROKERS: '' }, /ONCEFLOW_BROKERS is not set: .*set it, e\.g\. ONCEFLOW_BROKERS=localhost:9092/],
    ['a value of the wrong kind', { ONCEFLOW_PARALLELISM: 'many' }, /ONCEFLOW_PARALLELISM is "many": it must be a whole number/],
    ['a parameter that does not exist', { ONCEFLOW_PARALELISM: '2' }, /the nearest is ONCEFLOW_PARALLELISM/],
    ['more subtasks than key groups', { ONCEFLOW_PARALLELISM: '200' }, /at most ONCEFLOW_MAX_PARALLELISM \(128\)/],
    [
      'a stage that the job does not have',
      { ONCEFLOW_STAGE_PARALLELISM: 'count=2' },
      /of stages that job word-count has: read-lines, count-words, write-counts/,
    ],
    [
      'more functions than a stack can hold',
      { ONCEFLOW_PARALLELISM: '401', ONCEFLOW_MAX_PARALLELISM: '500' },
      /count-words=401.*at most 400 operator subtasks/,
    ],
    [
      'files in a folder, which functions do not keep',
      { ONCEFLOW_JOB: './test/support/sinks-job.ts' },
      /location of sink write-folder is "file:\/\/.*": it must be s3:\/\/bucket or .* in a deployment: what a function writes to its own disk is lost; name a bucket/,
    ],
    [
      'times that contradict each other',
      { ONCEFLOW_EPOCH_TIMEOUT_MS: '600000' },
      /ONCEFLOW_TRANSACTION_TIMEOUT_MS.*raise ONCEFLOW_TRANSACTION_TIMEOUT_MS above 750000/s,
    ],
    [
      'a recovery that ticks cannot keep',
      { ONCEFLOW_RECOVERY_TIMEOUT_MS: '60000' },
      /ONCEFLOW_RECOVERY_TIMEOUT_MS is "60000": it must be at least 82000.*ONCEFLOW_STANDBY=keep/,
    ],
    [
      'a standby of a coordinator that ends when it is idle',
      { ONCEFLOW_STANDBY: 'keep', ONCEFLOW_IDLE_EXIT_MS: '0' },
      /ONCEFLOW_STANDBY is "keep": it must be none with ONCEFLOW_IDLE_EXIT_MS=0/,
    ],
    [
      'a table, which the deployment makes',
      { ONCEFLOW_TABLE: 'mine' },
      /ONCEFLOW_TABLE is "mine": it must be left to the deployment, .*; that of an earlier deployment is named by ONCEFLOW_ADOPT_TABLE/,
    ],
    [
      'an adopted table without its blobs',
      { ONCEFLOW_ADOPT_TABLE: 'earlier' },
      /ONCEFLOW_ADOPT_BLOBS is not set: it must be set with ONCEFLOW_ADOPT_TABLE/,
    ],
    [
      'adopted blobs without their table',
      { ONCEFLOW_ADOPT_BLOBS: 's3://earlier' },
      /ONCEFLOW_ADOPT_TABLE is not set: it must be set with ONCEFLOW_ADOPT_BLOBS/,
    ],
    ['an adopted folder', { ONCEFLOW_ADOPT_BLOBS: 'file:///blobs' }, /ONCEFLOW_ADOPT_BLOBS is .*: it must be s3:\/\/bucket/],
    [
      'storage that is adopted and to be thrown away',
      { ONCEFLOW_ADOPT_TABLE: 'earlier', ONCEFLOW_ADOPT_BLOBS: 's3://earlier', ONCEFLOW_REMOVAL: 'destroy' },
      /ONCEFLOW_REMOVAL is "destroy": it must be retain with ONCEFLOW_ADOPT_TABLE/,
    ],
    [
      'a prefix that permissions could not name',
      { ONCEFLOW_FUNCTION_PREFIX: 'a.b' },
      /ONCEFLOW_FUNCTION_PREFIX is "a\.b": it must be at most 40 letters/,
    ],
    [
      'a secret with plaintext',
      { ONCEFLOW_KAFKA_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_job-AbCdEf' },
      /ONCEFLOW_KAFKA_SECRET_ARN is ".*": it must be unset with ONCEFLOW_KAFKA_SECURITY_PROTOCOL=PLAINTEXT/,
    ],
    [
      'SASL without a secret',
      { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ONCEFLOW_KAFKA_SASL_MECHANISM: 'PLAIN' },
      /ONCEFLOW_KAFKA_SECRET_ARN is not set/,
    ],
    [
      'credentials in a file, which would be in the package',
      {
        ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
        ONCEFLOW_KAFKA_SASL_MECHANISM: 'PLAIN',
        ONCEFLOW_KAFKA_CREDENTIALS_FILE: 'login.json',
      },
      /ONCEFLOW_KAFKA_CREDENTIALS_FILE is "login\.json": it must be unset in a deployment.*set ONCEFLOW_KAFKA_SECRET_ARN instead/,
    ],
    [
      'IAM without the cluster',
      { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ONCEFLOW_KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' },
      /ONCEFLOW_KAFKA_CLUSTER_ARN is not set: it must be the ARN of an MSK cluster/,
    ],
    [
      'certificates that are not there',
      { ONCEFLOW_KAFKA_SECURITY_PROTOCOL: 'SSL', ONCEFLOW_KAFKA_CA_FILE: 'no-such.pem' },
      /ONCEFLOW_KAFKA_CA_FILE is "no-such\.pem": it must be .*ENOENT/,
    ],
    ['a module without a job', { ONCEFLOW_JOB: './lib/api/index.ts' }, /no default export made by defineJob/],
  ])('are refused with one message for %s', (_what, change, message) => {
    expect(() => readSettings({ ...given, ...change })).toThrow(message);
  });
});
