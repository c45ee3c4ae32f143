import { describe, expect, it } from 'vitest';
import { mayStart, takenOverBy, tooLate } from '../../../lib/epoch/start/may-start.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { jobRow } from './job-row.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

const row = (change: Partial<JobRow> = {}) => jobRow({ leaseExpiresAtMs: NOW + 12_000, ...change });

describe('an explicit start', () => {
  it.each<[string, JobRow | undefined]>([
    ['that has never run', undefined],
    ['whose lease has run out', row({ leaseExpiresAtMs: NOW })],
    ['whose lease was given up', row({ leaseExpiresAtMs: 0 })],
    ['that was stopped', row({ leaseExpiresAtMs: 0, desired: 'stopped' })],
    ['that failed', row({ leaseExpiresAtMs: 0, failure: 'no such topic' })],
  ])('starts a job %s, whether it may take over or not', (_what, job) => {
    expect(mayStart(job, NOW, 'explicit', 'allow')).toEqual({ outcome: 'starts' });
    expect(mayStart(job, NOW, 'explicit', 'refuse')).toEqual({ outcome: 'starts' });
  });

  it('takes over a job that is held, and says from whom and how long that one had', () => {
    expect(mayStart(row(), NOW, 'explicit', 'allow')).toEqual({
      outcome: 'takes-over',
      message:
        'takes over job word-count from generation 6 of host-a process 123, whose lease runs until 2026-01-02T03:04:17.000Z (12 s more)',
    });
  });

  it('that must not take over is refused while the lease lasts, with who holds the job, until when, and what to do', () => {
    expect(mayStart(row({ leaseExpiresAtMs: NOW + 1 }), NOW, 'explicit', 'refuse')).toEqual({
      outcome: 'refused',
      message: expect.stringMatching(
        /^job word-count is held by generation 6 of host-a process 123 until 2026-01-02T03:04:05.001Z .*ONCEFLOW_TAKEOVER=refuse.*onceflow stop/,
      ),
    });
  });
});

it('an explicit start that must not take over goes on with a job whose holder is known to have died: its own try before', () => {
  expect(mayStart(row(), NOW, 'explicit', 'refuse', ['host-a process 123'])).toEqual({ outcome: 'starts' });
  expect(mayStart(row(), NOW, 'explicit', 'refuse', ['host-a process 9'])).toMatchObject({ outcome: 'refused' });
});

describe('a start that the platform kept', () => {
  it('counts for two minutes from when it was asked for', () => {
    for (const ageMs of [-90_000, 0, 60_000, 120_000]) expect(tooLate(NOW - ageMs, NOW)).toBeUndefined();
  });

  it('is refused later, because somebody may have stopped the job since, and says both times', () => {
    expect(tooLate(NOW - 3 * 3_600_000, NOW)).toMatch(/asked for at 2026-01-02T00:04:05.000Z, and it is 2026-01-02T03:04:05.000Z here/);
    expect(tooLate(NOW - 120_001, NOW)).toMatch(/Nothing was started/);
  });
});

describe('a revival', () => {
  it('starts a job that is to run and that nobody holds, whatever explicit starts may do', () => {
    expect(mayStart(row({ leaseExpiresAtMs: NOW }), NOW, 'revival', 'allow')).toEqual({ outcome: 'starts' });
    expect(mayStart(row({ leaseExpiresAtMs: 0 }), NOW, 'revival', 'refuse')).toEqual({ outcome: 'starts' });
  });

  it.each<[string, JobRow | undefined, RegExp]>([
    ['that has never been started', undefined, /first start is an explicit one/],
    ['that a person stopped', row({ leaseExpiresAtMs: 0, desired: 'stopped' }), /asked to stop/],
    ['that a person stopped and whose holder then died', row({ leaseExpiresAtMs: NOW - 1, desired: 'stopped' }), /onceflow resume/],
    ['that failed', row({ leaseExpiresAtMs: 0, failure: 'no such topic' }), /waits for a person .*: no such topic$/],
    ['that is held', row(), /held by generation 6 of host-a process 123/],
  ])('leaves a job alone %s', (_what, job, message) => {
    expect(mayStart(job, NOW, 'revival', 'allow')).toEqual({ outcome: 'refused', message: expect.stringMatching(message) });
  });

  it('does not wait for the lease of a holder that is known to have died, and does of any other', () => {
    expect(mayStart(row(), NOW, 'revival', 'allow', ['host-a process 9', 'host-a process 123'])).toEqual({ outcome: 'starts' });
    expect(mayStart(row(), NOW, 'revival', 'allow', ['host-a process 9'])).toMatchObject({ outcome: 'refused' });
  });

  it('leaves alone what was stopped, whoever has died', () => {
    expect(mayStart(row({ desired: 'stopped' }), NOW, 'revival', 'allow', ['host-a process 123'])).toMatchObject({ outcome: 'refused' });
  });
});

describe('a coordinator that was superseded', () => {
  const successor = row({ generation: 7, holder: 'host-b process 9', leaseExpiresAtMs: NOW + 30_000 });

  it('names its successor, itself and the time of the lease', () => {
    expect(takenOverBy(successor, row(), NOW)).toBe(
      'generation 7 of host-b process 9 has taken over job word-count from this one, generation 6 of host-a process 123; its lease runs until 2026-01-02T03:04:35.000Z (30 s more)',
    );
  });

  it('says nothing of a lease that is over', () => {
    expect(takenOverBy({ ...successor, leaseExpiresAtMs: 0 }, row(), NOW)).toMatch(/generation 6 of host-a process 123$/);
  });
});
