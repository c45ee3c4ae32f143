import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../../lib/transactions/resolve.ts';

const EPOCH = 5;
const state = (partition: number, producerEpoch: number, isOpen: boolean) => ({ partition, producerId: '1', producerEpoch, isOpen });
const verdict = (markerReached: boolean | undefined, states: readonly ReturnType<typeof state>[], written: readonly number[]) =>
  verdictOf(
    { producerEpoch: EPOCH },
    markerReached,
    states,
    written.map((partition) => ({ partition })),
  );
const UNSTABLE = undefined;

describe('a decided transaction', () => {
  it('all of whose records were aborted, or never came, was not committed', () => {
    expect(verdict(false, [state(0, 6, false), state(1, 7, false)], [0, 1])).toBe('not-committed');
    expect(verdict(false, [], [0, 1])).toBe('not-committed');
    expect(verdict(false, [state(0, 6, false)], [])).toBe('not-committed');
  });

  it('whose end was forgotten everywhere, or in some partitions, is all in place', () => {
    expect(verdict(UNSTABLE, [state(0, EPOCH, true), state(1, EPOCH, true)], [0, 1])).toBe('in-place');
    expect(verdict(UNSTABLE, [state(0, EPOCH, true), state(1, EPOCH, false)], [0, 1])).toBe('in-place');
    expect(verdict(true, [state(0, EPOCH, true), state(1, EPOCH, false)], [0, 1])).toBe('in-place');
  });

  it('whose records are committed and whose marker was forgotten, or dropped since, is all in place', () => {
    expect(verdict(UNSTABLE, [state(0, EPOCH, false)], [0])).toBe('in-place');
    expect(verdict(false, [state(0, EPOCH, false)], [0])).toBe('in-place');
    expect(verdict(UNSTABLE, [], [])).toBe('in-place');
  });

  it('beside which an attempt left records open waits until those are aborted', () => {
    expect(verdict(false, [state(0, 6, true), state(1, 7, false)], [0, 1])).toBe('left-open');
    expect(verdict(true, [state(0, 6, true), state(1, EPOCH, false)], [0, 1])).toBe('left-open');
    expect(verdict(UNSTABLE, [state(0, 6, false)], [0])).toBe('left-open');
  });

  it('whose abort was forgotten in some partitions waits until it is aborted there, too', () => {
    expect(verdict(false, [state(0, EPOCH, true), state(1, 6, false)], [0, 1])).toBe('left-open');
  });

  it('of which a part was aborted and a part was not is neither committed nor sent again', () => {
    expect(verdict(false, [state(0, EPOCH, false), state(1, 6, false)], [0, 1])).toBe('torn');
    expect(verdict(UNSTABLE, [state(0, EPOCH, true), state(1, 6, false)], [0, 1])).toBe('torn');
    expect(verdict(true, [state(0, EPOCH, true), state(1, 6, true)], [0, 1])).toBe('torn');
  });
});
