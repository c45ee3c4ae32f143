import { describe, expect, it } from 'vitest';
import { configureJob } from '../../../host/job/configured-job.ts';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { parameterValues } from '../../../lib/config/origins.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';

const required = { ONCEFLOW_JOB: './job.ts', ONCEFLOW_BROKERS: 'a:9092', ONCEFLOW_BLOBS: 'file:///tmp/blobs' };
const orders = {
  ONCEFLOW_KAFKA_ORDERS_EU_BROKERS: 'b:9092,c:9092',
  ONCEFLOW_KAFKA_ORDERS_EU_SECURITY_PROTOCOL: 'SASL_SSL',
  ONCEFLOW_KAFKA_ORDERS_EU_SASL_MECHANISM: 'SCRAM-SHA-512',
  ONCEFLOW_KAFKA_ORDERS_EU_CREDENTIALS_FILE: '/secrets/orders.json',
};

describe('a cluster with a name', () => {
  it('has parameters of its own, with the defaults of the others', () => {
    const { kafkaClusters, ...others } = readConfig({ ...required, ...orders });
    expect(kafkaClusters).toEqual({
      'orders-eu': {
        brokers: ['b:9092', 'c:9092'],
        kafkaSecurityProtocol: 'SASL_SSL',
        kafkaSaslMechanism: 'SCRAM-SHA-512',
        kafkaCaFile: undefined,
        kafkaSecretArn: undefined,
        kafkaCredentialsFile: '/secrets/orders.json',
        kafkaSecretTtlMs: 300_000,
        kafkaClusterArn: undefined,
        kafkaSecretKeyArn: undefined,
      },
    });
    expect(others).toEqual(readConfig(required));
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'no brokers',
      { ONCEFLOW_KAFKA_ORDERS_CA_FILE: 'ca.pem' },
      /ONCEFLOW_KAFKA_ORDERS_BROKERS is not set: .*set it, e\.g\. ONCEFLOW_KAFKA_ORDERS_BROKERS=localhost:9092/,
    ],
    [
      'a wrong value',
      { ...orders, ONCEFLOW_KAFKA_ORDERS_EU_SASL_MECHANISM: 'SCRAM' },
      /ONCEFLOW_KAFKA_ORDERS_EU_SASL_MECHANISM is "SCRAM"/,
    ],
    [
      'a contradiction',
      { ...orders, ONCEFLOW_KAFKA_ORDERS_EU_SECURITY_PROTOCOL: 'SSL' },
      /ONCEFLOW_KAFKA_ORDERS_EU_SASL_MECHANISM is "SCRAM-SHA-512": it must be unset with ONCEFLOW_KAFKA_ORDERS_EU_SECURITY_PROTOCOL=SSL/,
    ],
    ['no secret', { ...orders, ONCEFLOW_KAFKA_ORDERS_EU_CREDENTIALS_FILE: '' }, /ONCEFLOW_KAFKA_ORDERS_EU_SECRET_ARN is not set/],
    [
      'no parameter of a cluster',
      { ONCEFLOW_KAFKA_ORDERS_TOPIC: 'x' },
      /ONCEFLOW_KAFKA_ORDERS_TOPIC is "x": it must be a parameter of the engine/,
    ],
    [
      'no name of one',
      { ONCEFLOW_KAFKA_1_BROKERS: 'b:9092' },
      /ONCEFLOW_KAFKA_1_BROKERS is "b:9092": it must be a parameter of the engine/,
    ],
  ])('with %s is refused, by the names of its own parameters', (_what, env, message) => {
    expect(() => readConfig({ ...required, ...env })).toThrow(message);
  });

  it('is shown with the other parameters', () => {
    const shown = parameterValues({ ...required, ...orders }).filter(({ variable }) => variable.includes('ORDERS_EU'));
    expect(shown.find(({ variable }) => variable.endsWith('_BROKERS'))).toMatchObject({ value: 'b:9092,c:9092', from: 'environment' });
    expect(shown.find(({ variable }) => variable.endsWith('_SECRET_TTL_MS'))).toMatchObject({ value: '300000', from: 'default' });
  });
});

describe('a job that names clusters', () => {
  const job = defineJob('two-clusters', (draft) => {
    draft
      .source('read', kafkaSource({ cluster: 'orders-eu', topic: 'clicks', value: utf8 }))
      .sink('write', kafkaSink({ topic: 'counts', value: utf8 }));
  });

  it('has their names in its plan, and is refused where one is not configured', () => {
    expect(compilePlan(job).stages).toMatchObject([{ topic: 'orders-eu/clicks' }, { to: { topics: ['counts'] } }]);
    expect(configureJob(readConfig({ ...required, ...orders }), job).plan.stages).toHaveLength(2);
    expect(() => configureJob(readConfig(required), job)).toThrow(
      /ONCEFLOW_KAFKA_ORDERS_EU_BROKERS is not set: .*job two-clusters uses topic clicks of cluster orders-eu/,
    );
    const moved = configureJob(readConfig({ ...required, ...orders, ONCEFLOW_TOPICS: 'read=test-clicks' }), job);
    expect(moved.plan.stages[0]).toMatchObject({ topic: 'orders-eu/test-clicks' });
  });

  it.each([['Orders'], [''], ['a/b'], ['1st'], [5]])('by %j is refused: that is no name of one', (cluster) => {
    expect(() => kafkaSource({ cluster: cluster as string, topic: 'clicks', value: utf8 })).toThrow(
      /cluster is .* must be the name of a cluster/,
    );
    expect(() => kafkaSink({ cluster: cluster as string, topic: 'clicks', value: utf8 })).toThrow(/kafkaSink: cluster is/);
  });
});
