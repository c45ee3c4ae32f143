import { expect, it } from 'vitest';
import { kafkaRequestTimeoutMs } from '../../../lib/config/kafka-request-timeout.ts';
import { readConfig } from '../../../lib/config/read-config.ts';

const required = { ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'localhost:9092', ONCEFLOW_BLOBS: 'file:///var/blobs' };
const timeoutOf = (epoch: number, commit: number, set = '') =>
  kafkaRequestTimeoutMs(
    readConfig({
      ...required,
      ONCEFLOW_EPOCH_TIMEOUT_MS: `${epoch}`,
      ONCEFLOW_COMMIT_TIMEOUT_MS: `${commit}`,
      ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS: set,
    }),
  );

it('a broker may leave a request unanswered for a third of the shorter of epoch and commit timeout, within bounds', () => {
  expect(kafkaRequestTimeoutMs(readConfig(required))).toBe(10_000);
  expect(timeoutOf(60_000, 15_000)).toBe(5_000);
  expect(timeoutOf(12_000, 30_000)).toBe(4_000);
  expect(timeoutOf(600_000, 600_000)).toBe(10_000);
  expect(timeoutOf(3_000, 1_000)).toBe(2_000);
});

it('or for as long as ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS says, which leaves as much time to ask another broker', () => {
  expect(timeoutOf(60_000, 30_000, '15000')).toBe(15_000);
  expect(() => timeoutOf(60_000, 30_000, '15001')).toThrow(
    'ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS is "15001": it must be at most 15000, half of the shorter of ONCEFLOW_EPOCH_TIMEOUT_MS (60000) and ' +
      'ONCEFLOW_COMMIT_TIMEOUT_MS (30000): when a broker hangs there must be time to ask another; lower it, unset it, or raise the shorter of the two',
  );
  expect(() => timeoutOf(10_000, 30_000, '5001')).toThrow('at most 5000');
});
