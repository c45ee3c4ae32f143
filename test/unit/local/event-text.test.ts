import { expect, it } from 'vitest';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { eventText } from '../../../local/event-text.ts';

it.each<[CoordinatorEvent, string | undefined]>([
  [
    { event: 'rescaled', epoch: 7, stage: 'count-words', from: 1, to: 4, why: 'a backlog of 34 s' },
    'from epoch 7 on count-words has 4 subtasks in place of 1: a backlog of 34 s',
  ],
  [{ event: 'held-up', records: 40 }, '40 records of the input cannot be read yet: transactions of others are open before them'],
  [{ event: 'doubtful', epoch: 5, names: {}, resolution: 'it was committed' }, 'epoch 5 was in doubt: it was committed'],
  [{ event: 'waiting', what: 'reading the job row: no answer', forMs: 12_400 }, 'waits for reading the job row: no answer for 12 s'],
  [{ event: 'throttled', function: 'sink' }, 'function sink was not run: too many are running'],
  [{ event: 'stands-by', message: 'another one works' }, 'another one works'],
  [{ event: 'leftovers-ended' }, undefined],
])('of %j a person reads %j', (event, text) => {
  expect(eventText(event)).toBe(text);
});
