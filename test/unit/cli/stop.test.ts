import { describe, expect, it } from 'vitest';
import { nextStopStep } from '../../../cli/commands/stop.ts';
import { jobRowOf, NOW } from './rows.ts';

const step = (change: Parameters<typeof jobRowOf>[0]) => nextStopStep(jobRowOf({ desired: 'stopped', ...change }), NOW);

describe('stopping a job', () => {
  it('waits for its holder while the lease lasts', () => {
    expect(step({})).toEqual({
      do: 'wait',
      why: expect.stringContaining('waiting for generation 6 of host-a process 123 (lease: 12 s left'),
    });
  });

  it('does the work of a holder that died, whatever it had recorded', () => {
    expect(step({ leaseExpiresAtMs: NOW })).toEqual({ do: 'finish' });
    expect(step({ leaseExpiresAtMs: NOW - 1, lastCommitted: 9 })).toEqual({ do: 'finish' });
  });

  it('commits what a holder left that gave up its lease before it had committed', () => {
    expect(step({ leaseExpiresAtMs: 0, lastCommitted: 8 })).toEqual({ do: 'finish' });
  });

  it('asks Kafka when the last holder ended in order', () => {
    expect(step({ leaseExpiresAtMs: 0, lastCommitted: 9 })).toEqual({ do: 'check' });
    expect(step({ leaseExpiresAtMs: 0, lastCompleted: undefined, lastCommitted: 0 })).toEqual({ do: 'check' });
  });

  it('gives up when somebody let it run again', () => {
    expect(step({ desired: 'running', generation: 7 })).toEqual({
      do: 'give-up',
      why: expect.stringMatching(/was asked to run again meanwhile: generation 7 of host-a .* has it$/),
    });
    expect(step({ desired: 'running', leaseExpiresAtMs: 0 })).toEqual({
      do: 'give-up',
      why: expect.stringMatching(/was asked to run again meanwhile: nobody has it yet$/),
    });
  });
});
