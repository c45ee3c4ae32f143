import { describe, expect, it } from 'vitest';
import type { FetchedPartition } from '../../../../lib/ports/kafka-requests.ts';
import { fateIn } from '../../../../lib/sinks/kafka/look.ts';

const OWN = 7n;
const range = { topic: 'out', partition: 0, first: 10, last: 19 };
const fetched = (change: Partial<FetchedPartition>): FetchedPartition => ({
  topic: 'out',
  partition: 0,
  answer: 'NONE',
  logStartOffset: 0,
  highWatermark: 40,
  lastStableOffset: 40,
  aborted: [],
  records: Buffer.from('records'),
  ...change,
});
const fate = (change: Partial<FetchedPartition>) => fateIn(range, fetched(change), OWN);

describe('what a Fetch from behind a transaction says of it', () => {
  it('is that it is committed, when records came along and nobody aborted it', () => {
    expect(fate({})).toBe('committed');
    expect(fate({ aborted: [{ producerId: 8n, firstOffset: 10 }] })).toBe('committed');
  });

  it('is that it is aborted, when a transaction of its producer is listed that begins where it does or before', () => {
    expect(fate({ aborted: [{ producerId: OWN, firstOffset: 10 }] })).toBe('aborted');
    expect(fate({ aborted: [{ producerId: OWN, firstOffset: 4 }] })).toBe('aborted');
  });

  it('is that it is committed, when only later transactions of its producer were aborted', () => {
    expect(fate({ aborted: [{ producerId: OWN, firstOffset: 21 }] })).toBe('committed');
  });

  it('is that it is undecided, when it is the oldest that is open', () => {
    expect(fate({ lastStableOffset: 10, records: Buffer.alloc(0) })).toBe('undecided');
  });

  it('is nothing yet, when the log begins with it: an older open one, whose beginning is gone, holds the last stable offset there', () => {
    expect(fate({ lastStableOffset: 10, logStartOffset: 10, records: Buffer.alloc(0) })).toBe('look-closer');
  });

  it.each([
    ['an older transaction of somebody else is open', 3],
    ['the next open transaction begins right behind it', 20],
    ['the next batch is larger than was asked for', 40],
  ])('is nothing yet, when no records came along: %s', (_why, lastStableOffset) => {
    expect(fate({ lastStableOffset, records: Buffer.alloc(0) })).toBe('look-closer');
  });

  it('is that there is no evidence, when the log does not reach to it, and nothing, when nobody answered', () => {
    expect(fate({ answer: 'OFFSET_OUT_OF_RANGE', lastStableOffset: -1 })).toBe('no-evidence');
    expect(fate({ answer: 'NOT_LEADER_OR_FOLLOWER', lastStableOffset: -1 })).toBe('unknown');
  });
});
