import { expect, test } from 'vitest';
import { SupersededError } from '../../../lib/epoch/coordinator/context.ts';
import { ownRow } from '../../../lib/epoch/lease/held.ts';
import { jobRow } from './job-row.ts';

const OWN = { generation: 6, incarnation: 'inc' };
const of = { job: 'word-count' };

test('a row is of a holder in its generation and in its incarnation', () => {
  const row = jobRow({});
  expect(ownRow(of, OWN, row)).toBe(row);
});

test.each([
  [
    'another generation',
    jobRow({ generation: 7 }),
    'generation 7 of host-a process 123 holds job word-count; this coordinator is generation 6',
  ],
  [
    'the same generation of a job that was made anew',
    jobRow({ incarnation: 'anew' }),
    'job word-count was deleted and made anew, or started from a savepoint, and generation 6 of host-a process 123 holds that one; this coordinator is generation 6',
  ],
  ['no row', undefined, 'job word-count was deleted; this coordinator is generation 6'],
])('%s is no holder any more, and is told whose the job is', (_, row, message) => {
  expect(() => ownRow(of, OWN, row)).toThrow(new SupersededError(message));
});
