import { expect, it } from 'vitest';
import { ageMs, momentOf } from '../../../lib/ports/age.ts';

const clockAt = (wallMs: number, elapsedMs: number) => ({ now: () => wallMs, elapsedMs: () => elapsedMs });
const since = momentOf(clockAt(1_000_000, 50));

it('what is kept gets older though the wall clock stepped back', () => {
  expect(ageMs(clockAt(400_000, 350), since)).toBe(300);
});

it('what is kept gets older though the machine, and its elapsed time with it, was stopped between two invocations', () => {
  expect(ageMs(clockAt(1_600_000, 51), since)).toBe(600_000);
});
