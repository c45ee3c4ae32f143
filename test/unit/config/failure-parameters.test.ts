import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../lib/config/fault.ts';
import { readConfig } from '../../../lib/config/read-config.ts';

const required = { ONCEFLOW_JOB: './job.ts', ONCEFLOW_BROKERS: 'localhost:9092', ONCEFLOW_BLOBS: 'file:///tmp/blobs' };
const deadLetters = { ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: 'dead' };

const read = (env: Record<string, string>) => readConfig({ ...required, ...env });

function refusalOf(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('ONCEFLOW_MIN_PAUSE_MS', () => {
  it('contradicts ONCEFLOW_MAX_CONCURRENT_EPOCHS above 1, when that is set', () => {
    expect(refusalOf({ ONCEFLOW_MIN_PAUSE_MS: '500', ONCEFLOW_MAX_CONCURRENT_EPOCHS: '3' })).toContain(
      'ONCEFLOW_MAX_CONCURRENT_EPOCHS is "3": it must be 1 with ONCEFLOW_MIN_PAUSE_MS=500',
    );
  });

  it('goes with one epoch at a time, with the default, and 0 with any', () => {
    expect(read({ ONCEFLOW_MIN_PAUSE_MS: '500', ONCEFLOW_MAX_CONCURRENT_EPOCHS: '1' }).minPauseMs).toBe(500);
    expect(read({ ONCEFLOW_MIN_PAUSE_MS: '500' }).minPauseMs).toBe(500);
    expect(read({ ONCEFLOW_MIN_PAUSE_MS: '0', ONCEFLOW_MAX_CONCURRENT_EPOCHS: '3' }).maxConcurrentEpochs).toBe(3);
  });
});

describe.each(['ONCEFLOW_TOLERABLE_FAILURES', 'ONCEFLOW_POISON_ATTEMPTS'])('%s', (option) => {
  const parsed = (text: string) => {
    const config = read({ [option]: text });
    return option === 'ONCEFLOW_POISON_ATTEMPTS' ? config.poisonAttempts : config.tolerableFailures;
  };

  it('is a number or unlimited', () => {
    expect(parsed('7')).toBe(7);
    expect(parsed('unlimited')).toBe(Number.POSITIVE_INFINITY);
    for (const wrong of ['-1', '1.5', 'Infinity', 'UNLIMITED', 'none'])
      expect(refusalOf({ [option]: wrong })).toMatch(
        new RegExp(`${option} is "${wrong}": it must be a whole number from .*, or unlimited`),
      );
  });
});

describe('ONCEFLOW_POISON_ATTEMPTS', () => {
  it('is at least one: a record that has not failed is not poison', () => {
    expect(refusalOf({ ONCEFLOW_POISON_ATTEMPTS: '0' })).toContain('a whole number from 1 to');
  });
});

describe('ONCEFLOW_RESTART_STRATEGY', () => {
  it.each([
    ['exponential', 'ONCEFLOW_RESTART_ATTEMPTS', 'fixed-delay'],
    ['exponential', 'ONCEFLOW_RESTART_DELAY_MS', 'fixed-delay or failure-rate'],
    ['fixed-delay', 'ONCEFLOW_RESTART_BACKOFF_MS', 'exponential'],
    ['fixed-delay', 'ONCEFLOW_RESTART_MAX_FAILURES', 'failure-rate'],
    ['failure-rate', 'ONCEFLOW_RESTART_BACKOFF_MAX_MS', 'exponential'],
    ['failure-rate', 'ONCEFLOW_RESTART_ATTEMPTS', 'fixed-delay'],
    ['none', 'ONCEFLOW_RESTART_FAILURE_INTERVAL_MS', 'failure-rate'],
  ])('%s refuses %s, which it does not read, and says that %s does', (strategy, option, reader) => {
    expect(refusalOf({ ONCEFLOW_RESTART_STRATEGY: strategy, [option]: '100' })).toContain(
      `${option} is "100": it must be unset with ONCEFLOW_RESTART_STRATEGY=${strategy}, which does not read it; unset it, or set ONCEFLOW_RESTART_STRATEGY=${reader}`,
    );
  });

  it('reads its own settings', () => {
    expect(
      read({ ONCEFLOW_RESTART_STRATEGY: 'failure-rate', ONCEFLOW_RESTART_MAX_FAILURES: '4', ONCEFLOW_RESTART_FAILURE_INTERVAL_MS: '900' }),
    ).toMatchObject({ restartStrategy: 'failure-rate', restartMaxFailures: 4, restartFailureIntervalMs: 900, restartDelayMs: 1000 });
  });
});

describe('ONCEFLOW_POISON_POLICY=dead-letter', () => {
  it('needs ONCEFLOW_DEAD_LETTER_TOPIC', () => {
    expect(refusalOf({ ONCEFLOW_POISON_POLICY: 'dead-letter' })).toContain(
      'ONCEFLOW_DEAD_LETTER_TOPIC is not set: it must be the topic for the records that ONCEFLOW_POISON_POLICY=dead-letter leaves out',
    );
  });

  it('is needed by ONCEFLOW_DEAD_LETTER_TOPIC', () => {
    expect(refusalOf({ ONCEFLOW_DEAD_LETTER_TOPIC: 'dead' })).toContain(
      'ONCEFLOW_DEAD_LETTER_TOPIC is "dead": it must be unset with ONCEFLOW_POISON_POLICY=stop, which leaves no record out',
    );
  });

  it('contradicts attempts without end, and strategies that give up before a record has failed often enough', () => {
    expect(refusalOf({ ...deadLetters, ONCEFLOW_POISON_ATTEMPTS: 'unlimited' })).toContain(
      'ONCEFLOW_POISON_ATTEMPTS is "unlimited": it must be reached for a dead letter to be written, and a record that is tried for ever is never left out',
    );
    expect(refusalOf({ ...deadLetters, ONCEFLOW_RESTART_STRATEGY: 'none' })).toContain(
      'and ONCEFLOW_RESTART_STRATEGY=none stops the job at the first failure',
    );
    expect(refusalOf({ ...deadLetters, ONCEFLOW_RESTART_STRATEGY: 'fixed-delay', ONCEFLOW_RESTART_ATTEMPTS: '9' })).toContain(
      'ONCEFLOW_POISON_ATTEMPTS is "10": it must be reached for a dead letter to be written, and ONCEFLOW_RESTART_ATTEMPTS=9 in a row stop the job before; lower it, or raise ONCEFLOW_RESTART_ATTEMPTS to 10 or more',
    );
    expect(refusalOf({ ...deadLetters, ONCEFLOW_RESTART_STRATEGY: 'failure-rate', ONCEFLOW_RESTART_MAX_FAILURES: '9' })).toContain(
      'after more than ONCEFLOW_RESTART_MAX_FAILURES=9 failures in ONCEFLOW_RESTART_FAILURE_INTERVAL_MS=60000, ONCEFLOW_RESTART_DELAY_MS=1000 apart',
    );
  });

  it('goes with strategies that leave it enough attempts', () => {
    const strategies: Record<string, string>[] = [
      {},
      { ONCEFLOW_RESTART_STRATEGY: 'fixed-delay' },
      { ONCEFLOW_RESTART_STRATEGY: 'failure-rate' },
      { ONCEFLOW_RESTART_STRATEGY: 'failure-rate', ONCEFLOW_RESTART_MAX_FAILURES: '6', ONCEFLOW_RESTART_DELAY_MS: '10000' },
    ];
    for (const strategy of strategies) expect(read({ ...deadLetters, ...strategy }).deadLetterTopic).toBe('dead');
  });
});
