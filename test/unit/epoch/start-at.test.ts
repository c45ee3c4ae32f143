import { expect, it } from 'vitest';
import { type StartAt, startAtIn } from '../../../lib/epoch/start/start-at.ts';

it.each<[string, StartAt]>([
  ['a savepoint', { at: { savepoint: 'before-3.0' }, drop: ['count'], onWrittenAgain: 'stop' }],
  ['a retained epoch', { at: { epoch: 7 }, once: 'id', drop: [], onWrittenAgain: 'allow', sourceOffsets: 'earliest' }],
])('a start from %s is what came with the request', (_what, startAt) => {
  expect(startAtIn(JSON.parse(JSON.stringify(startAt)))).toEqual(startAt);
});

it.each([
  ['from nothing', { drop: [], onWrittenAgain: 'stop' }],
  ['from an epoch that is no number', { at: { epoch: 'seven' }, drop: [], onWrittenAgain: 'stop' }],
  ['at offsets that are none', { at: { epoch: 7 }, drop: [], onWrittenAgain: 'stop', sourceOffsets: 'somewhere' }],
])('one %s is none', (_what, value) => {
  expect(startAtIn(value)).toBe(undefined);
});
