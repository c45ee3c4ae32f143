import { describe, expect, it } from 'vitest';
import { settlePool } from '../../../lib/epoch/commit/settle-pool.ts';
import { type CoordinatorDeps, JobFailedError, LeftToNextError, SupersededError } from '../../../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { SettleOutcome } from '../../../lib/sinks/connector.ts';

const settled: SettleOutcome = { outcome: 'settled', ends: 2 };
const failed: SettleOutcome = { outcome: 'failed', retriable: true, message: 'no broker answers' };
const refused: SettleOutcome = { outcome: 'failed', retriable: false, message: 'no right' };

interface Setting {
  readonly once?: boolean;
  readonly refusalTimeoutMs?: number;
  readonly isToldToEnd?: boolean;
  /** From this time on another coordinator holds the job. */
  readonly supersededAtMs?: number;
}

/** Settles one connector that answers so, the last answer for ever, beside another that delivers. */
async function settle(answers: readonly SettleOutcome[], { once, refusalTimeoutMs, isToldToEnd, supersededAtMs }: Setting = {}) {
  let nowMs = 0;
  const askedAtMs: number[] = [];
  const told: CoordinatorEvent[] = [];
  const some = {
    how: 'prepared',
    connector: 'some',
    settle: async () => {
      askedAtMs.push(nowMs);
      return answers[Math.min(askedAtMs.length, answers.length) - 1];
    },
  };
  const deps = {
    sinks: { named: (name: string) => (name === 'some' ? some : { how: 'delivered', connector: name }) },
    clock: {
      elapsedMs: () => nowMs,
      now: () => nowMs,
      sleep: async (ms: number) => {
        nowMs += ms;
      },
    },
    random: { fraction: () => 1, id: () => '' },
    observe: (event: CoordinatorEvent) => told.push(event),
    epochs: {
      readJob: async () => {
        await Promise.resolve();
        return { generation: supersededAtMs !== undefined && nowMs >= supersededAtMs ? 2 : 1, incarnation: 'i' };
      },
    },
    refusalTimeoutMs,
  } as unknown as CoordinatorDeps;
  const tenure = { generation: 1, incarnation: 'i', sinkFacts: {}, pool: { some: {}, later: {} } };
  const signal = isToldToEnd === true ? AbortSignal.abort() : new AbortController().signal;
  const ends = settlePool({ deps, settings: { job: 'job', plan: { job: 'job', stages: [], edges: [] } }, tenure, signal }, { once });
  return {
    ends: await ends.catch((error: Error) => error),
    askedAtMs,
    warned: told.map((event) => event.event === 'warning' && event.message),
  };
}

describe('what may be open is settled', () => {
  it('by each connector that may have left something, and counted', async () => {
    expect(await settle([settled])).toEqual({ ends: 2, askedAtMs: [0], warned: [] });
  });

  it('with a second between tries when it cannot be done at once', async () => {
    const { ends, askedAtMs, warned } = await settle([failed, failed, settled]);
    expect([ends, askedAtMs]).toEqual([2, [0, 1_000, 2_000]]);
    expect(warned).toEqual(['no broker answers', 'no broker answers']);
  });

  it('only as long as the job is held', async () => {
    const { ends, askedAtMs } = await settle([failed], { supersededAtMs: 2_000 });
    expect(ends).toBeInstanceOf(SupersededError);
    expect(askedAtMs).toEqual([0, 1_000]);
  });

  it('once where the caller has a next try', async () => {
    expect(await settle([failed, settled], { once: true })).toMatchObject({ ends: expect.any(LeftToNextError), askedAtMs: [0] });
  });

  it('by the next coordinator where this one is told to end', async () => {
    expect(await settle([failed, settled], { isToldToEnd: true })).toEqual({
      ends: expect.any(LeftToNextError),
      askedAtMs: [0],
      warned: [],
    });
  });
});

it.each<[string, Setting, readonly number[]]>([
  ['at once when a person has just started the job', {}, [0]],
  ['at once, also where the caller has a next try', { once: true }, [0]],
  ['when it has lasted', { refusalTimeoutMs: 2_000 }, [0, 1_000, 2_000]],
])('what is refused stops the job %s', async (_when, setting, askedAtMs) => {
  expect(await settle([refused], setting)).toMatchObject({ ends: new JobFailedError('no right'), askedAtMs });
});

it('what is refused between failures that pass has not lasted', async () => {
  const { ends, askedAtMs } = await settle([refused, failed, refused, refused, settled], { refusalTimeoutMs: 2_000 });
  expect([ends, askedAtMs]).toEqual([2, [0, 1_000, 2_000, 3_000, 4_000]]);
});
