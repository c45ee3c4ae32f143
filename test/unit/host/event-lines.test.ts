import { expect, it } from 'vitest';
import { createEventLines } from '../../../host/event-lines.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { figures } from '../epoch/figures.ts';

const planned = (epoch: number, decisionId: string): CoordinatorEvent => ({
  event: 'planned',
  epoch,
  decisionId,
  inFlight: 1,
  backlogRecords: 1,
});
const failed = (epoch: number): CoordinatorEvent => ({
  event: 'attempt-failed',
  epoch,
  stage: 'count-words',
  kind: 'user-code',
  message: 'the word x is refused',
  failuresInARow: 1,
  retryInMs: 100,
});

it('every line has the generation, once the lease is taken', () => {
  const lineOf = createEventLines();
  expect(lineOf({ event: 'takes-over', message: 'takes over' }).fields).toMatchObject({ generation: undefined });
  lineOf({ event: 'lease-taken', generation: 7, incarnation: 'i', lastCompleted: 1, lastCommitted: 1, stops: 0 });
  expect(lineOf({ event: 'warning', message: 'slow' }).fields).toMatchObject({ generation: 7 });
});

it('a line about an epoch names its attempt, which is another one after a failure, until the epoch is committed', () => {
  const lineOf = createEventLines();
  const attempts = [
    planned(5, 'a'),
    planned(6, 'b'),
    failed(5),
    planned(5, 'c'),
    { event: 'committed', epoch: 5, republished: 0, ms: 1, figures: figures() } as const,
    failed(6),
    failed(5),
  ].map((event) => lineOf(event).fields['attempt']);
  expect(attempts).toEqual(['a', 'b', 'a', 'c', 'c', 'b', undefined]);
});

it('its message is what the event says, or what it is', () => {
  const lineOf = createEventLines();
  expect(lineOf(failed(1))).toMatchObject({
    level: 'warn',
    message: 'the word x is refused',
    fields: { event: 'attempt-failed', epoch: 1, stage: 'count-words', kind: 'user-code' },
  });
  expect(lineOf({ event: 'progress-again', afterMs: 3 })).toMatchObject({
    level: 'info',
    message: 'progress-again',
    fields: { afterMs: 3 },
  });
  expect(lineOf(failed(1)).fields).not.toHaveProperty('message');
});
