import { expect, it } from 'vitest';
import { inputOf, newAttempt, withDone } from '../../../lib/epoch/attempt/attempt.ts';

const range = (topic: string, from: number, bound: number) => ({ topic, partition: 0, from, bound });

/** An epoch of two sources, of which one has read half of what it was to read. */
const planned = newAttempt(
  {
    ...{ epoch: 1, decisionId: 'd', planned: { wallMs: 0, elapsedMs: 0 }, from: {}, parallelism: {}, maxBytes: 1 },
    ranges: { left: [[range('l', 0, 10)]], right: [[range('r', 5, 20)]] },
  },
  [],
);
const reached = [{ topic: 'l', partition: 0, next: 4 }];
const read = { outcome: 'read', reached, bytesIn: 1, recordsIn: 4, edges: {} } as const;
const attempt = withDone(planned, 'left', { kind: 'source', subtasks: [read] }, 1);

const ofLeft = { stage: 'left', ...range('l', 0, 4) };
const fault = (topic: string) => ({ operator: 'o', errorClass: 'E', message: 'm', record: { topic, partition: 0, offset: 7 } });

it('an attempt that failed in an operator has failed in what its sources have read', () => {
  expect(inputOf(attempt, 'count', undefined)).toEqual([ofLeft]);
});

it('one that failed in a source, nobody knows at which record, has failed in what the others have read and in all that this one was to read', () => {
  const all = [ofLeft, { stage: 'right', ...range('r', 5, 20) }];
  expect(inputOf(attempt, 'right', undefined)).toEqual(all);
  expect(inputOf(attempt, 'right', fault('another'))).toEqual(all);
});

it('one that failed at a known record of a source has failed in what that partition had up to it', () => {
  expect(inputOf(attempt, 'right', fault('r'))).toEqual([{ stage: 'right', ...range('r', 5, 8) }]);
  const second = { ...range('r', 2, 9), partition: 1 };
  const ofTwo = { ...attempt, ranges: { right: [[{ ...second }, range('r', 5, 20)]] } };
  expect(inputOf(ofTwo, 'right', fault('r'))).toEqual([{ stage: 'right', ...range('r', 5, 8) }]);
});
