import { describe, expect, it } from 'vitest';
import { ConfigError, type ConfigFault } from '../../../lib/config/fault.ts';
import type { Parameter } from '../../../lib/config/parameters/row.ts';
import { parameters } from '../../../lib/config/parameters.ts';
import { readConfig, readToolConfig, requiredValue } from '../../../lib/config/read-config.ts';

const required = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'localhost:9092', ONCEFLOW_BLOBS: 'file:///var/blobs' };

function faultsOf(env: Record<string, string | undefined>): readonly ConfigFault[] {
  try {
    readConfig({ ...required, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('gives every parameter its documented default', () => {
    expect(readConfig(required)).toEqual({
      job: './jobs/word-count.ts',
      jobName: undefined,
      brokers: ['localhost:9092'],
      kafkaSecurityProtocol: 'PLAINTEXT',
      kafkaSaslMechanism: undefined,
      kafkaCaFile: undefined,
      kafkaSecretArn: undefined,
      kafkaCredentialsFile: undefined,
      kafkaSecretTtlMs: 300_000,
      kafkaRequestTimeoutMs: undefined,
      table: 'onceflow',
      blobs: { kind: 'file', folder: '/var/blobs' },
      topics: {},
      groupId: undefined,
      startFrom: undefined,
      startDrop: [],
      startSourceOffsets: undefined,
      startingOffsets: undefined,
      onDataLoss: 'stop',
      onMissingEvidence: 'stop',
      onMissingState: 'stop',
      onWrittenAgain: 'stop',
      commitOffsets: true,
      deliveryGuarantee: 'exactly-once',
      checkpointIntervalMs: 1000,
      epochTimeoutMs: 60_000,
      commitTimeoutMs: 30_000,
      recoveryTimeoutMs: 120_000,
      transactionTimeoutMs: 600_000,
      parallelism: 1,
      stageParallelism: {},
      scaleUpBacklogMs: 30_000,
      scaleDownEpochs: 20,
      maxParallelism: 128,
      maxEpochBytes: 64 * 1024 * 1024,
      maxUnpackedBatchBytes: 64 * 1024 * 1024,
      maxConcurrentEpochs: 3,
      inlineBlobBytes: 16_384,
      idlePollMaxMs: 1000,
      idleExitMs: undefined,
      standby: 'none',
      leaseMs: 30_000,
      takeover: 'allow',
      retainedCheckpoints: 3,
      cancelRetention: 'retain',
      minPauseMs: 0,
      refusalTimeoutMs: 60_000,
      tolerableFailures: Number.POSITIVE_INFINITY,
      restartStrategy: 'exponential',
      restartBackoffMs: 100,
      restartBackoffMaxMs: 10_000,
      restartAttempts: 10,
      restartDelayMs: 1000,
      restartMaxFailures: 10,
      restartFailureIntervalMs: 60_000,
      poisonAttempts: 10,
      poisonPolicy: 'stop',
      deadLetterTopic: undefined,
      partitionDiscoveryIntervalMs: 10_000,
      buildId: 'unversioned',
      functionPrefix: undefined,
      kafkaClusterArn: undefined,
      kafkaSecretKeyArn: undefined,
      architecture: 'arm64',
      functionMemoryMb: 1769,
      operatorStorageMb: 512,
      coordinatorMemoryMb: 512,
      coordinatorLifetimeMs: 900_000,
      operatorConcurrency: undefined,
      logRetentionDays: '30',
      logLevel: 'info',
      monitoring: 'on',
      alarmTopic: undefined,
      removal: 'retain',
      stack: 'embedded',
      kafkaArchive: 'https://archive.apache.org/dist/kafka/4.3.1/kafka_2.13-4.3.1.tgz',
      dynamodbLocal: undefined,
      benchDir: undefined,
    });
  });

  it('parses lists, maps, locations and choices', () => {
    const config = readConfig({
      ...required,
      ONCEFLOW_JOB_NAME: 'word-count',
      ONCEFLOW_BROKERS: 'a:9092, b.example.com:9093, [::1]:9094',
      ONCEFLOW_BLOBS: 's3://bucket/some/prefix/',
      ONCEFLOW_TOPICS: 'read-lines=lines,write-counts=counts.v2',
      ONCEFLOW_STAGE_PARALLELISM: 'count-words=4,write-counts=2',
      ONCEFLOW_STARTING_OFFSETS: 'earliest',
    });
    expect(config).toMatchObject({
      jobName: 'word-count',
      brokers: ['a:9092', 'b.example.com:9093', '[::1]:9094'],
      blobs: { kind: 's3', bucket: 'bucket', prefix: 'some/prefix' },
      topics: { 'read-lines': 'lines', 'write-counts': 'counts.v2' },
      stageParallelism: { 'count-words': 4, 'write-counts': 2 },
      startingOffsets: 'earliest',
    });
  });

  it.each([
    ['AWS_ENDPOINT_URL', 'localhost:4566', /AWS_ENDPOINT_URL is "localhost:4566": it must be the address of a server/],
    ['AWS_ENDPOINT_URL_S3', 'nowhere', /AWS_ENDPOINT_URL_S3 is "nowhere": it must be the address of a server/],
    ['AWS_REGION', 'us east 1', /AWS_REGION is "us east 1": it must be a region/],
  ])('names %s=%s, of which the errors of the AWS SDK do not', (option, value, message) => {
    expect(() => readConfig({ ...required, [option]: value })).toThrow(message);
    const unset = { ...required, AWS_ENDPOINT_URL: 'https://[::1]:4566', AWS_REGION: 'eu-west-1', [option]: '' };
    expect(() => readConfig(unset)).not.toThrow();
  });

  it('lists every fault at once, each with option, value, rule and mend', () => {
    const faults = faultsOf({ ONCEFLOW_JOB: undefined, ONCEFLOW_PARALLELISM: '0', ONCEFLOW_LEASE_MS: '30s' });
    expect(faults).toEqual([
      expect.objectContaining({ option: 'ONCEFLOW_JOB', value: undefined, mend: 'set it, e.g. ONCEFLOW_JOB=./jobs/word-count.ts' }),
      {
        option: 'ONCEFLOW_PARALLELISM',
        value: '0',
        rule: 'a whole number from 1 to 32768, digits only, or a range of them, the smaller first, e.g. 1..16',
        mend: 'correct it, or unset it for the default, 1',
      },
      expect.objectContaining({ option: 'ONCEFLOW_LEASE_MS', value: '30s' }),
    ]);
    const { message, stack } = new ConfigError(faults);
    expect(stack).toBe(`ConfigError: ${message}`);
    expect(message).toContain('3 values are wrong');
    expect(message).toContain('ONCEFLOW_JOB is not set: it must be');
    expect(message).toContain('ONCEFLOW_LEASE_MS is "30s": it must be a whole number');
  });

  it('refuses a variable that is not in the table and names the nearest', () => {
    expect(faultsOf({ ONCEFLOW_CHECKPOINT_INTERVALL: '5' })).toEqual([
      expect.objectContaining({
        option: 'ONCEFLOW_CHECKPOINT_INTERVALL',
        mend: 'rename it (the nearest is ONCEFLOW_CHECKPOINT_INTERVAL_MS) or remove it',
      }),
    ]);
  });

  it('leaves variables of others alone', () => {
    expect(faultsOf({ PATH: '/bin', AWS_REGION: '', KAFKA_ONCEFLOW_X: '1' })).toEqual([]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig({ ...required, ONCEFLOW_TABLE: '', ONCEFLOW_GROUP_ID: ' ' })).toMatchObject({
      table: 'onceflow',
      groupId: undefined,
    });
    expect(faultsOf({ ONCEFLOW_BROKERS: '' })).toEqual([expect.objectContaining({ option: 'ONCEFLOW_BROKERS', value: undefined })]);
  });

  it.each([
    ['ONCEFLOW_JOB_NAME', '.word'],
    ['ONCEFLOW_JOB_NAME', 'a/b'],
    ['ONCEFLOW_JOB_NAME', 'n'.repeat(65)],
    ['ONCEFLOW_BROKERS', 'localhost'],
    ['ONCEFLOW_BROKERS', 'localhost:0'],
    ['ONCEFLOW_BROKERS', 'localhost:65536'],
    ['ONCEFLOW_BROKERS', 'a:1,,b:2'],
    ['ONCEFLOW_BROKERS', 'http://a:1'],
    ['ONCEFLOW_TABLE', 'ab'],
    ['ONCEFLOW_TABLE', 'a table'],
    ['ONCEFLOW_BLOBS', 'http://x'],
    ['ONCEFLOW_BLOBS', 'file://relative/path'],
    ['ONCEFLOW_BLOBS', 'file:///'],
    ['ONCEFLOW_BLOBS', 'file:///a/../b'],
    ['ONCEFLOW_BLOBS', 's3://'],
    ['ONCEFLOW_BLOBS', 's3://UPPER'],
    ['ONCEFLOW_BLOBS', 's3://bucket/a//b'],
    ['ONCEFLOW_BLOBS', 's3://bucket/../b'],
    ['ONCEFLOW_TOPICS', 'lines'],
    ['ONCEFLOW_TOPICS', 'a=b=c'],
    ['ONCEFLOW_TOPICS', 'a=x,a=y'],
    ['ONCEFLOW_TOPICS', 'a=..'],
    ['ONCEFLOW_TOPICS', 'a=b,'],
    ['ONCEFLOW_GROUP_ID', 'a group'],
    ['ONCEFLOW_STARTING_OFFSETS', 'newest'],
    ['ONCEFLOW_CHECKPOINT_INTERVAL_MS', '9'],
    ['ONCEFLOW_CHECKPOINT_INTERVAL_MS', '1e3'],
    ['ONCEFLOW_CHECKPOINT_INTERVAL_MS', '10.5'],
    ['ONCEFLOW_CHECKPOINT_INTERVAL_MS', '-10'],
    ['ONCEFLOW_TRANSACTION_TIMEOUT_MS', '2147483648'],
    ['ONCEFLOW_STAGE_PARALLELISM', 'count=0'],
    ['ONCEFLOW_STAGE_PARALLELISM', 'count=two'],
    ['ONCEFLOW_STAGE_PARALLELISM', 'count=4..2'],
    ['ONCEFLOW_PARALLELISM', '0..4'],
    ['ONCEFLOW_PARALLELISM', '1..'],
    ['ONCEFLOW_PARALLELISM', '1...4'],
    ['ONCEFLOW_SCALE_UP_BACKLOG_MS', '999'],
    ['ONCEFLOW_SCALE_DOWN_EPOCHS', '0'],
    ['ONCEFLOW_STAGE_PARALLELISM', 'count'],
    ['ONCEFLOW_MAX_PARALLELISM', '32769'],
    ['ONCEFLOW_MAX_EPOCH_BYTES', '0'],
    ['ONCEFLOW_MAX_CONCURRENT_EPOCHS', '0'],
    ['ONCEFLOW_RETAINED_CHECKPOINTS', '0'],
    ['ONCEFLOW_STACK', 'embeded'],
    ['ONCEFLOW_TAKEOVER', 'never'],
    ['ONCEFLOW_CANCEL_RETENTION', 'keep'],
  ])('refuses %s=%s', (option, value) => {
    expect(faultsOf({ [option]: value })).toEqual([expect.objectContaining({ option, value })]);
  });

  it('takes ranges of subtasks, of which the larger bound is within the key groups; one of equal bounds is a number', () => {
    const config = readConfig({ ...required, ONCEFLOW_PARALLELISM: '1..16', ONCEFLOW_STAGE_PARALLELISM: 'a=2..4,b=3..3' });
    expect(config).toMatchObject({ parallelism: { least: 1, most: 16 }, stageParallelism: { a: { least: 2, most: 4 }, b: 3 } });
    expect(faultsOf({ ONCEFLOW_MAX_PARALLELISM: '4', ONCEFLOW_PARALLELISM: '1..5', ONCEFLOW_STAGE_PARALLELISM: 'a=2..6' })).toEqual([
      expect.objectContaining({ option: 'ONCEFLOW_PARALLELISM', value: '1..5' }),
      expect.objectContaining({ option: 'ONCEFLOW_STAGE_PARALLELISM', value: 'a=2..6' }),
    ]);
  });

  it('accepts the bounds themselves', () => {
    expect(
      readConfig({
        ...required,
        ONCEFLOW_CHECKPOINT_INTERVAL_MS: '10',
        ONCEFLOW_MAX_PARALLELISM: '32768',
        ONCEFLOW_PARALLELISM: '32768',
        ONCEFLOW_INLINE_BLOB_BYTES: '0',
        ONCEFLOW_BROKERS: 'h:65535',
      }),
    ).toMatchObject({ checkpointIntervalMs: 10, maxParallelism: 32_768, parallelism: 32_768, inlineBlobBytes: 0 });
  });

  it('refuses more subtasks than key groups, for all stages and for one', () => {
    expect(faultsOf({ ONCEFLOW_MAX_PARALLELISM: '4', ONCEFLOW_PARALLELISM: '5', ONCEFLOW_STAGE_PARALLELISM: 'a=4,b=6' })).toEqual([
      expect.objectContaining({ option: 'ONCEFLOW_PARALLELISM', value: '5' }),
      expect.objectContaining({ option: 'ONCEFLOW_STAGE_PARALLELISM', value: 'b=6' }),
    ]);
  });

  it('refuses a first backoff above the longest', () => {
    expect(faultsOf({ ONCEFLOW_RESTART_BACKOFF_MS: '101', ONCEFLOW_RESTART_BACKOFF_MAX_MS: '100' })).toEqual([
      expect.objectContaining({ option: 'ONCEFLOW_RESTART_BACKOFF_MS', value: '101' }),
    ]);
  });
});

describe('readToolConfig', () => {
  it('leaves required parameters that are not set undefined, and gives the others as readConfig does', () => {
    const { job: _, blobs: __, ...others } = readConfig(required);
    expect(readToolConfig({ ONCEFLOW_BROKERS: required.ONCEFLOW_BROKERS })).toEqual(others);
  });

  it('refuses wrong and unknown values all the same', () => {
    expect(() => readToolConfig({ ONCEFLOW_BROKERS: 'localhost', ONCEFLOW_TABEL: 'jobs' })).toThrow(
      /ONCEFLOW_TABEL .*\n.*ONCEFLOW_BROKERS is "localhost"/,
    );
  });

  it('gives a required value, or says how to set it', () => {
    const config = readToolConfig({ ONCEFLOW_BROKERS: 'a:1' });
    expect(requiredValue(config, 'brokers')).toEqual(['a:1']);
    expect(() => requiredValue(config, 'blobs')).toThrow('ONCEFLOW_BLOBS is not set: it must be file:///absolute/folder');
  });
});

describe('the table of parameters', () => {
  const rows = Object.entries<Parameter<unknown>>(parameters);

  it('names every variable after its parameter', () => {
    for (const [name, parameter] of rows) {
      expect(parameter.variable).toBe(`ONCEFLOW_${name.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`);
    }
  });

  it('holds defaults and examples that keep their own rules', () => {
    for (const [, { whenUnset, schema }] of rows) {
      if (whenUnset.is === 'default') expect(schema.safeParse(whenUnset.text).success).toBe(true);
      if (whenUnset.is === 'refused') expect(schema.safeParse(whenUnset.example).success).toBe(true);
    }
  });

  it('says the unit where the name ends in one', () => {
    for (const [name, { unit }] of rows) {
      if (name.endsWith('Ms')) expect(unit).toBe('ms');
      if (name.endsWith('Bytes')) expect(unit).toBe('bytes');
    }
  });
});
