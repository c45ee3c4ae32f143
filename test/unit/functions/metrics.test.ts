import { describe, expect, it } from 'vitest';
import { metricOf } from '../../../functions/metrics.ts';

describe('a job without progress', () => {
  it('is a metric in milliseconds, of the function that says so', () => {
    const event = { event: 'no-progress', sinceMs: 1_000, forMs: 64_000, failuresInARow: 3, lastError: 'no' } as const;
    const metric = metricOf(event, 'word-count-coordinator', 65_000);
    expect(metric).toEqual({
      _aws: {
        Timestamp: 65_000,
        CloudWatchMetrics: [
          { Namespace: 'Onceflow', Dimensions: [['FunctionName']], Metrics: [{ Name: 'NoProgress', Unit: 'Milliseconds' }] },
        ],
      },
      FunctionName: 'word-count-coordinator',
      NoProgress: 64_000,
    });
  });
});

describe('other events', () => {
  it('are no metric', () => {
    expect(metricOf({ event: 'warning', message: 'slow' }, 'word-count-coordinator', 0)).toBeUndefined();
  });
});
