import { expect, it } from 'vitest';
import { type CoordinatorEvent, levelOf } from '../../../lib/epoch/progress/events.ts';
import { figures } from './figures.ts';

it.each<[string, CoordinatorEvent]>([
  ['error', { event: 'no-progress', sinceMs: 1, forMs: 2, failuresInARow: 3, lastError: undefined }],
  ['error', { event: 'ended', end: 'failed', message: 'no such topic' }],
  ['info', { event: 'ended', end: 'stopped', message: 'job stopped' }],
  ['warn', { event: 'dead-lettered', epoch: 1, records: 1 }],
  ['info', { event: 'late', epoch: 1, dropped: 1, passedOn: 1, operators: {} }],
  ['debug', { event: 'late', epoch: 1, dropped: 0, passedOn: 1, operators: {} }],
  ['warn', { event: 'attempt-failed', epoch: 1, stage: 's', kind: 'transient', message: 'm', failuresInARow: 1, retryInMs: 1 }],
  ['error', { event: 'still-failed', message: 'no such topic' }],
  ['warn', { event: 'throttled', function: 'word-count-sink' }],
  ['info', { event: 'progress-again', afterMs: 1 }],
  ['debug', { event: 'committed', epoch: 1, republished: 0, ms: 1, figures: figures() }],
])('is logged as %s: %j', (level, event) => {
  expect(levelOf(event)).toBe(level);
});
