import { describe, expect, it } from 'vitest';
import { JobFailedError, LeftToNextError } from '../../../lib/epoch/coordinator/context.ts';
import { untilAnswered } from '../../../lib/epoch/coordinator/store-retry.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';

const away = new StoreProblem('the table is away', true);
const refused = new StoreProblem('the table is refused', false);

/** Asks a store that fails so, one try after the other, and then answers; time passes in pauses alone. */
async function ask(failures: readonly Error[], { refusalTimeoutMs, signal }: { refusalTimeoutMs?: number; signal?: AbortSignal } = {}) {
  const events: CoordinatorEvent[] = [];
  let nowMs = 0;
  let tries = 0;
  const sleep = async (ms: number) => {
    nowMs += ms;
  };
  const deps = {
    clock: { elapsedMs: () => nowMs, now: () => nowMs, sleep },
    random: { fraction: () => 1, id: () => '' },
    observe: (event: CoordinatorEvent) => events.push(event),
    ...(refusalTimeoutMs === undefined ? {} : { refusalTimeoutMs }),
  };
  const attempt = async () => {
    const failure = failures[tries++];
    if (failure !== undefined) throw failure;
    return 'answered';
  };
  const result = await untilAnswered(deps, 'reading', attempt, signal).catch((error: Error) => error);
  return { result, events, tries, nowMs };
}
const times = (n: number, error: Error) => Array.from({ length: n }, () => error);

describe('what a store answers', () => {
  it('is waited for, whatever it takes, and the wait is said aloud', async () => {
    const { result, events, tries } = await ask(times(20, away));
    expect([result, tries]).toEqual(['answered', 21]);
    expect(events[0]).toEqual({ event: 'waiting', what: 'reading: the table is away', forMs: expect.any(Number) });
    // Each time the wait has doubled.
    expect(events.length).toBeLessThan(8);
  });

  it('ends the job at once when it refuses and a person has just started it', async () => {
    const { result, tries } = await ask([refused]);
    expect(result).toBeInstanceOf(JobFailedError);
    expect([String(result), tries]).toEqual(['JobFailedError: reading: the table is refused', 1]);
  });

  it('is asked for again when it refuses a job that runs, and counts when that has lasted', async () => {
    expect((await ask(times(3, refused), { refusalTimeoutMs: 5_000 })).result).toBe('answered');
    const { result, nowMs } = await ask(times(100, refused), { refusalTimeoutMs: 5_000 });
    expect(result).toBeInstanceOf(JobFailedError);
    expect(nowMs).toBeGreaterThanOrEqual(5_000);
    expect(nowMs).toBeLessThan(15_000);
  });

  it('was not refused all the while when it was away in between', async () => {
    const changing = Array.from({ length: 40 }, (_, index) => (index % 3 === 2 ? away : refused));
    expect((await ask(changing, { refusalTimeoutMs: 12_000 })).result).toBe('answered');
  });

  it('is left to the next coordinator when this one is told to end, and an error of our own is thrown on', async () => {
    expect((await ask([away], { signal: AbortSignal.abort() })).result).toBeInstanceOf(LeftToNextError);
    expect((await ask([new TypeError('no')])).result).toBeInstanceOf(TypeError);
  });
});
