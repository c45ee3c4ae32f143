import { describe, expect, it } from 'vitest';
import { JOB } from '../sim-job.ts';
import { endCoordinator, startCoordinator } from '../world/coordinators.ts';
import type { World } from '../world.ts';
import type { Outcome } from '../world-options.ts';
import { at, plain, story } from './story.ts';

/** Enough epochs for a base to be written anew, so that the blobs of the first ones are named by nothing that is retained. */
const lines = (length: number) => Array.from({ length }, (_, index) => plain(index * 700, index % 2, `ant bee cow${index} #${index}`));
const input = lines(40);
const long = { input, faultsUntilMs: 40_000, settings: { checkpointIntervalMs: 200, retainedCheckpoints: 1 } };
const decideOf = (epoch: number) => at('decide', { about: new RegExp(`^epoch ${epoch} `) });
const create = (world: World, name = 'kept') => world.onSavepoint({ does: 'create', name });
const remove = (world: World, name = 'kept') => world.onSavepoint({ does: 'delete', name });

describe('a savepoint', () => {
  it('keeps its blobs while all that was retained when it was made is retired and collected', async () => {
    let names: readonly string[] = [];
    const told = await story(
      [
        { at: decideOf(5), also: (world) => create(world) },
        {
          at: decideOf(34),
          also: (world) => {
            const [savepoint] = world.table.savepoints.of(JOB);
            expect(world.table.row(JOB)?.retiredThrough).toBeGreaterThan(savepoint?.epoch ?? 99);
            names = [...world.bucket.blobs.keys()].filter((name) => /-00000000000[1-4]-/.test(name));
          },
        },
      ],
      long,
    );
    expect(told.savepoints).toEqual(['create: created']);
    expect(names.length).toBeGreaterThan(0);
  });

  it('that is deleted has its blobs collected', async () => {
    let left: readonly string[] = ['not looked yet'];
    const told = await story(
      [
        { at: decideOf(5), also: (world) => create(world) },
        { at: decideOf(25), also: (world) => remove(world) },
        {
          at: decideOf(39),
          also: (world) => {
            left = [...world.bucket.blobs.keys()].filter((name) => /-00000000000[1-4]-/.test(name));
          },
        },
      ],
      long,
    );
    expect(told.savepoints).toEqual(['create: created', 'delete: deleted']);
    expect(left).toEqual([]);
  });

  it('whose creation sleeps until its epoch is retired and its blobs are gone is made of a newer epoch, or not at all', async () => {
    const told = await story(
      [
        { at: decideOf(4), also: (world) => create(world) },
        { at: at('createSavepoint'), fault: { fault: 'freeze', when: 'before', forMs: 25_000 } },
      ],
      long,
    );
    expect(told.history.join('\n')).toMatch(/createSavepoint kept, epoch [2-4] .*refused[\s\S]*createSavepoint kept, epoch \d\d .*created/);
  });

  it('whose creation arrives late, when its epoch is retired, is refused', async () => {
    const told = await story(
      [
        { at: decideOf(4), also: (world) => create(world) },
        { at: at('createSavepoint'), fault: { fault: 'late', byMs: 25_000 } },
      ],
      long,
    );
    expect(told.savepoints).toEqual(['create: no answer']);
  });

  it('that is made between a collection that lists the epochs and its deletions loses nothing to it', async () => {
    for (const api of ['listEpochs', 'listSavepoints', 'list', 'delete'])
      await story(
        [
          {
            at: at(api, { role: 'coordinator', nth: 2 }),
            also: (world) => create(world),
            fault: { fault: 'freeze', when: 'before', forMs: 1_000 },
          },
        ],
        long,
      );
  });

  it('outlives its job: a cancel that deletes it leaves what the savepoint names', async () => {
    let kept: readonly string[] = [];
    const told = await story(
      [
        { at: decideOf(6), also: (world) => create(world) },
        { at: decideOf(8), also: (world) => world.startCommand('delete') },
        {
          at: at('deleteJob'),
          also: (world) => {
            kept = [...world.bucket.blobs.keys()];
          },
        },
      ],
      { ...long, leftAloneMs: [10_000, 10_000] },
    );
    expect(told.commands).toEqual([{ command: 'delete', outcome: 'deleted' }]);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.every((name) => name.includes('/state/'))).toBe(true);
  });

  it('of a job that is deleted goes with its blobs, by the command that deletes it', async () => {
    let left: readonly string[] = ['not looked yet'];
    const told = await story(
      [
        { at: decideOf(6), also: (world) => create(world) },
        { at: decideOf(8), also: (world) => world.startCommand('delete') },
        { at: at('deleteJob'), also: (world) => world.scheduler.after(100, undefined, () => remove(world)) },
        {
          at: at('deleteSavepoint'),
          also: (world) => {
            left = [...world.bucket.blobs.keys()];
          },
        },
      ],
      { ...long, leftAloneMs: [10_000, 10_000] },
    );
    expect(told.savepoints).toEqual(['create: created', 'delete: deleted']);
    expect(left).toEqual([]);
  });

  it('whose deletion dies between its writes is deleted by the next one', async () => {
    for (const api of ['list', 'delete', 'deleteSavepoint']) {
      const told = await story(
        [
          { at: decideOf(6), also: (world) => create(world) },
          { at: decideOf(8), also: (world) => world.startCommand('delete') },
          { at: at('deleteJob'), also: (world) => world.scheduler.after(100, undefined, () => remove(world)) },
          { at: at(api, { by: 'savepoint#2' }), fault: { fault: 'crash', when: 'before' } },
          { at: at('createJob', { nth: 2 }), also: (world) => remove(world) },
        ],
        { ...long, leftAloneMs: [10_000, 10_000] },
      );
      expect(told.savepoints).toEqual(['create: created', 'delete: deleted']);
    }
  });
});

describe('a start from a savepoint', () => {
  const started = (told: Outcome) => told.observed.filter(({ event }) => event === 'started-from');
  const created = { at: decideOf(6), also: (world: World) => create(world) };
  const stoppedAndStarted = {
    at: decideOf(8),
    also: (world: World) => {
      world.startCommand('stop');
      world.scheduler.after(4_000, undefined, () => world.startFrom('kept'));
    },
  };
  /** What the job's row says so much later: whether it is to run, whether somebody holds it, whether it has moved. */
  const lookAfter = (world: World, ms: number, seen: unknown[]) => {
    const before = world.table.row(JOB)?.incarnation;
    world.scheduler.after(ms, undefined, () => {
      const row = world.table.row(JOB);
      seen.push(row?.desired, row?.leaseExpiresAtMs, row?.incarnation !== before);
    });
  };

  it('goes on from its offsets and its state, in another incarnation, and writes again what came behind it', async () => {
    const told = await story([created, { at: decideOf(12), also: (world) => world.startFrom('kept') }], long);
    expect(started(told)).toHaveLength(1);
    expect(told.lives).toBe(2);
  });

  it('commits first what the job has decided, for a decision cannot be taken back', async () => {
    const told = await story(
      [
        created,
        {
          at: at('invoke commit', { about: /epoch 12$/ }),
          also: (world) => world.scheduler.after(200, undefined, () => world.startFrom('kept')),
          fault: { fault: 'crash', when: 'before' },
        },
      ],
      long,
    );
    expect(started(told)).toHaveLength(1);
    expect(told.history.join('\n')).toMatch(/commit job-\w+-write-0-0[\s\S]*recordCommitted epoch 12[\s\S]*beginIncarnation/);
  });

  it('waits until that is recorded, however long it takes', async () => {
    const told = await story(
      [
        created,
        {
          at: at('invoke commit', { about: /epoch 12$/ }),
          also: (world) => world.scheduler.after(200, undefined, () => world.startFrom('kept')),
          fault: { fault: 'crash', when: 'before' },
        },
        { at: at('recordCommitted', { about: /epoch 12\b/ }), fault: { fault: 'slow', byMs: 5_000 } },
      ],
      long,
    );
    expect(started(told)).toHaveLength(1);
    expect(told.ends.filter(({ end }) => end === 'failed')).toEqual([]);
  });

  it.each(['before', 'after'] as const)('that dies %s its one write is not done, or done, and the next start goes on', async (when) => {
    const told = await story(
      [
        created,
        { at: decideOf(12), also: (world) => world.startFrom('kept') },
        { at: at('beginIncarnation'), fault: { fault: 'crash', when } },
      ],
      long,
    );
    expect(told.lives).toBe(when === 'before' ? 1 : 2);
  });

  it('whose write has no answer is done once', async () => {
    for (const what of ['request', 'answer'] as const) {
      const told = await story(
        [
          created,
          { at: decideOf(12), also: (world) => world.startFrom('kept') },
          { at: at('beginIncarnation'), fault: { fault: 'lose', what } },
        ],
        long,
      );
      expect(started(told)).toHaveLength(1);
      expect(told.lives).toBe(2);
    }
  });

  it('keeps what it goes on from when the savepoint is deleted at once, and all of the incarnation before is collected', async () => {
    const told = await story(
      [
        created,
        { at: decideOf(12), also: (world) => world.startFrom('kept') },
        { at: at('beginIncarnation'), also: (world) => world.scheduler.after(50, undefined, () => remove(world)) },
      ],
      long,
    );
    expect(told.savepoints).toEqual(['create: created', 'delete: deleted']);
    expect(told.lives).toBe(2);
  });

  it('that sleeps until its savepoint is deleted is none', async () => {
    const told = await story(
      [
        created,
        { at: decideOf(12), also: (world) => world.startFrom('kept') },
        { at: at('beginIncarnation'), also: (world) => remove(world), fault: { fault: 'slow', byMs: 1_500 } },
      ],
      long,
    );
    expect(told.lives).toBe(1);
    expect(told.ends.some(({ message }) => /^savepoint kept, epoch \d+ of job job is not there any more/.test(message))).toBe(true);
  });

  it.each(['listEpochs', 'listSavepoints', 'list', 'delete'])(
    'loses nothing to a collector of the incarnation before that stands still before "%s", though the savepoint is deleted meanwhile',
    async (api) => {
      await story(
        [
          created,
          // From here on nothing but the savepoint keeps its epoch.
          {
            at: at(api, { role: 'coordinator', nth: 3 }),
            also: (world) => {
              world.startFrom('kept');
              world.scheduler.after(6_000, undefined, () => remove(world));
            },
            fault: { fault: 'freeze', when: 'before', forMs: 9_000 },
          },
        ],
        long,
      );
    },
  );

  it('of a deleted job goes on from what the savepoint has kept', async () => {
    const told = await story(
      [
        created,
        { at: decideOf(8), also: (world) => world.startCommand('delete') },
        { at: at('deleteJob'), also: (world) => world.scheduler.after(100, undefined, () => world.startFrom('kept')) },
      ],
      { ...long, leftAloneMs: [10_000, 10_000] },
    );
    expect(started(told)).toHaveLength(1);
  });

  it('of a stopped job that dies leaves it stopped: no schedule goes on where it was, and the next start from there does what was asked for', async () => {
    const between: number[] = [];
    const told = await story(
      [
        created,
        {
          at: decideOf(8),
          also: (world) => {
            world.startCommand('stop');
            world.scheduler.after(4_000, undefined, () => world.startFrom('kept'));
            for (const ms of [9_000, 19_000])
              world.scheduler.after(ms, undefined, () => between.push(world.table.row(JOB)?.lastCompleted?.epoch ?? -1));
            world.scheduler.after(20_000, undefined, () => world.startFrom('kept'));
          },
        },
        { at: at('beginIncarnation'), fault: { fault: 'crash', when: 'before' } },
      ],
      { ...long, leftAloneMs: [30_000, 30_000], watch: { how: 'revival', everyMs: 1_000, standby: 'none' } },
    );
    expect(between).toEqual([between[0], between[0]]);
    expect(told.lives).toBe(2);
    expect(started(told)).toHaveLength(1);
  });

  it('of a stopped job that is asked to stop once more before it has moved on stays stopped', async () => {
    const seen: unknown[] = [];
    const told = await story(
      [
        created,
        stoppedAndStarted,
        {
          at: at('beginIncarnation'),
          also: (world) => {
            world.startCommand('stop');
            lookAfter(world, 8_000, seen);
          },
          fault: { fault: 'freeze', when: 'before', forMs: 1_000 },
        },
      ],
      { ...long, leftAloneMs: [15_000, 15_000] },
    );
    expect(seen).toEqual(['stopped', 0, true]);
    expect(started(told)).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)(
    'of a job that is asked to stop when it has died %s the job moves on, and is tried again, leaves it stopped',
    async (when) => {
      const seen: unknown[] = [];
      const told = await story(
        [
          created,
          stoppedAndStarted,
          {
            at: at('beginIncarnation'),
            also: (world) => {
              world.scheduler.after(1_000, undefined, () => world.startCommand('stop'));
              world.scheduler.after(2_000, undefined, () => world.startAgain());
              lookAfter(world, 12_000, seen);
            },
            fault: { fault: 'crash', when },
          },
        ],
        { ...long, leftAloneMs: [18_000, 18_000] },
      );
      expect(seen).toEqual(['stopped', 0, true]);
      expect(started(told).length).toBeLessThanOrEqual(1);
    },
  );

  it('of a job that was asked to stop meanwhile ends in time, though no broker answers', async () => {
    const seen: unknown[] = [];
    let isBegun = false;
    await story(
      [
        created,
        stoppedAndStarted,
        {
          at: at('beginIncarnation'),
          also: (world) => {
            isBegun = true;
            world.startCommand('stop');
            lookAfter(world, 35_000, seen);
          },
          fault: { fault: 'freeze', when: 'before', forMs: 1_000 },
        },
        {
          at: ({ service, caller }) => isBegun && service === 'kafka' && caller.role === 'coordinator',
          fault: { fault: 'outage', forMs: 60_000 },
        },
      ],
      { ...long, leftAloneMs: [60_000, 60_000] },
    );
    expect(seen).toEqual(['stopped', 0, true]);
  });

  it('is not undone by a stop before it, of which a try arrives late', async () => {
    const seen: unknown[] = [];
    await story(
      [
        created,
        { at: decideOf(8), also: (world) => world.startCommand('stop') },
        {
          at: at('setDesired'),
          also: (world) => {
            world.scheduler.after(3_000, undefined, () => world.startCommand('stop'));
            world.scheduler.after(9_000, undefined, () => world.startFrom('kept'));
            lookAfter(world, 22_000, seen);
          },
          fault: { fault: 'late', byMs: 11_000 },
        },
        { at: at('beginIncarnation'), fault: { fault: 'freeze', when: 'before', forMs: 5_000 } },
      ],
      { ...long, leftAloneMs: [40_000, 40_000] },
    );
    expect(seen).toEqual(['running', expect.any(Number), true]);
    expect(seen[1]).toBeGreaterThan(0);
  });

  it('that was done before lets the job run, and undoes no stop by a signal when a try of that arrives late', async () => {
    const seen: unknown[] = [];
    await story(
      [
        created,
        {
          at: decideOf(8),
          also: (world) => {
            world.startFrom('kept');
            const startAt = world.coordinators.at(-1)?.startAt;
            world.scheduler.after(5_000, undefined, () => world.startCommand('stop'));
            world.scheduler.after(10_000, undefined, () => startCoordinator(world, { startKind: 'explicit', standby: 'none', startAt }));
          },
        },
        {
          at: at('letRun'),
          also: (world) => {
            const running = world.coordinators.at(-1) ?? expect.fail('there is no coordinator');
            world.scheduler.after(4_000, undefined, () => endCoordinator(world, running, running.stop));
            lookAfter(world, 14_000, seen);
          },
          fault: { fault: 'late', byMs: 10_000 },
        },
      ],
      { ...long, leftAloneMs: [30_000, 30_000] },
    );
    expect(seen).toEqual(['stopped', 0, false]);
  });

  it('that dies when it tries the blob store leaves nothing there that nobody looks for', async () => {
    let isStarted = false;
    const isTrial = (name: string) => /start-0-/.test(name);
    const left: string[] = [];
    await story(
      [
        created,
        {
          at: decideOf(8),
          also: (world) => {
            isStarted = true;
            world.startCommand('stop');
            world.scheduler.after(4_000, undefined, () => world.startFrom('kept'));
            world.scheduler.after(12_000, undefined, () => world.startAgain());
          },
        },
        { at: ({ api, about }) => isStarted && api === 'delete' && isTrial(about), fault: { fault: 'crash', when: 'before' } },
        { at: decideOf(38), also: ({ bucket }) => left.push(...[...bucket.blobs.keys()].filter(isTrial)) },
      ],
      { ...long, input: lines(60), faultsUntilMs: 60_000, leftAloneMs: [10_000, 10_000] },
    );
    expect(left).toEqual([]);
  });

  it('of a deleted job that dies is not a start from the beginning, when a schedule finds it', async () => {
    const told = await story(
      [
        created,
        { at: decideOf(8), also: (world) => world.startCommand('delete') },
        { at: at('deleteJob'), also: (world) => world.scheduler.after(100, undefined, () => world.startFrom('kept')) },
        { at: at('beginIncarnation'), fault: { fault: 'crash', when: 'before' } },
      ],
      { ...long, leftAloneMs: [10_000, 10_000], watch: { how: 'revival', everyMs: 1_000, standby: 'none' } },
    );
    expect(told.ends.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^the start of job job ended before its first epoch, .*\(it has kept\)/),
    );
  });
});
