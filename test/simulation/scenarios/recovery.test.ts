import { describe, expect, it } from 'vitest';
import { standingOf } from '../../../lib/inspect/standing.ts';
import { START_MS } from '../kernel/process.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, ends, plain, story } from './story.ts';

describe('a recovery that takes longer than the lease', () => {
  const input = [plain(0, 0, 'ant #0'), plain(1_000, 1, 'bee #1'), plain(90_000, 0, 'cow #2')];
  const LEASE_MS = 8_000;

  /** The coordinator dies with an epoch decided, and its successor finds the broker away for a minute. */
  async function recovering() {
    const standings = new Set<string>();
    let crashedMs = 0;
    const look = (world: World) => {
      const row = world.table.row(JOB);
      // From when the successor has taken the lease.
      if (row !== undefined && row.generation > 1) standings.add(standingOf(row, START_MS + world.scheduler.nowMs));
      if (world.scheduler.nowMs < crashedMs + 55_000) world.scheduler.after(500, undefined, () => look(world));
    };
    const crashed = (world: World) => {
      crashedMs = world.scheduler.nowMs;
      world.network.cut('kafka', undefined, 60_000);
      look(world);
    };
    const told = await story([{ at: at('decide', { nth: 2 }), fault: { fault: 'crash', when: 'after' }, also: crashed }], {
      input,
      settings: { leaseMs: LEASE_MS, epochTimeoutMs: 10_000, recoveryTimeoutMs: 30_000, transactionTimeoutMs: 120_000 },
      watch: { how: 'revival', everyMs: 5_000, standby: 'none' },
      faultsUntilMs: 80_000,
    });
    return { told, standings };
  }

  it('is done by the coordinator that began it: no tick takes over from one that works', async () => {
    const { told } = await recovering();
    expect(told.observed.filter(({ event }) => event === 'lease-taken')).toHaveLength(2);
    expect(ends(told)).not.toContain('superseded');
  });

  it('is what "onceflow status" shows: somebody runs the job, and it makes no progress', async () => {
    const { told, standings } = await recovering();
    expect([...standings]).toEqual(['running']);
    const said = told.observed.filter((event) => event.event === 'no-progress');
    expect(said.at(-1)).toMatchObject({ lastError: expect.stringMatching(/asking how far the job was/) });
    expect(told.observed.some(({ event }) => event === 'progress-again')).toBe(true);
  });
});

describe('a stop', () => {
  it('that is withdrawn while the ids are settled leaves the job running, under the same coordinator', async () => {
    let isAsked = false;
    const settles = at('initProducerId', { role: 'coordinator' });
    const told = await story([
      {
        at: at('decide', { nth: 3 }),
        also: (world: World) => {
          world.table.setDesired(JOB, 'stopped');
          isAsked = true;
        },
      },
      {
        at: (call) => isAsked && settles(call),
        also: (world: World) => void world.table.setDesired(JOB, 'running'),
        fault: { fault: 'slow', byMs: 5_000 },
      },
    ]);
    expect(told.ends).toEqual([{ end: 'stopped', message: `job ${JOB} stopped` }]);
  });
});
