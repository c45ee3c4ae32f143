import { describe, expect, it } from 'vitest';
import { type CoordinatorDeps, type JobSettings, StartRefusedError } from '../../../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { letRun, takeLease } from '../../../lib/epoch/start/start.ts';
import type { StartAt } from '../../../lib/epoch/start/start-at.ts';
import type { EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';

const NOW = 1_000_000;
const never = new AbortController().signal;

interface Started {
  readonly epochs: EpochStore;
  readonly events: CoordinatorEvent[];
  /** `afterStops`: it is tried again. */
  start(holder: string, takeover: 'allow' | 'refuse', startAt?: StartAt, afterStops?: number): Promise<JobRow>;
  /** By a function that runs only until then. */
  startUntil(holderEndsAtMs: number): Promise<JobRow>;
  revive(holder: string): Promise<JobRow>;
  /** Time passes. */
  pass(ms: number): void;
}

/** `change` may put something of its own into the store. `loses`: the call whose first answer is lost. */
function newWorld(change: (store: EpochStore) => Partial<EpochStore> = () => ({}), mayTakeOver = async () => {}, loses?: string): Started {
  let nowMs = NOW;
  const table = new EpochTable(() => nowMs);
  let isLost = false;
  const open = () =>
    modelEpochStore(table, async (api, _about, failure, execute) => {
      const answer = execute(undefined as never);
      if (api !== loses || isLost) return answer;
      isLost = true;
      return failure.lost();
    });
  const events: CoordinatorEvent[] = [];
  let ids = 0;
  /** Each start is a process, with a store of its own. */
  const newProcess = () => {
    const real = open();
    return { ...deps, epochs: { ...real, ...change(real) } };
  };
  const deps = {
    clock: { now: () => nowMs, elapsedMs: () => nowMs - NOW, sleep: async () => {} },
    random: { id: () => `${ids++}`.padStart(32, '0'), fraction: () => 0 },
    observe: (event: CoordinatorEvent) => events.push(event),
  } as Partial<CoordinatorDeps> as CoordinatorDeps;
  const settings = { job: 'job', leaseMs: 10_000, fingerprint: 'f', maxParallelism: 128 } as Partial<JobSettings> as JobSettings;
  return {
    epochs: open(),
    events,
    start: (holder, takeover, startAt, afterStops) =>
      takeLease(newProcess(), { ...settings, holder, takeover, startAt, afterStops }, mayTakeOver, never),
    startUntil: (holderEndsAtMs) =>
      takeLease(newProcess(), { ...settings, holder: 'function', takeover: 'refuse', holderEndsAtMs }, mayTakeOver, never),
    revive: (holder) =>
      takeLease(newProcess(), { ...settings, holder, startKind: 'revival', holderEndsAtMs: NOW + 60_000 }, mayTakeOver, never),
    pass(ms) {
      nowMs += ms;
    },
  };
}

describe('a start', () => {
  it('says in the row of a new job until when its function runs', async () => {
    expect(await newWorld().startUntil(NOW + 60_000)).toMatchObject({ generation: 1, holderEndsAtMs: NOW + 60_000 });
  });

  it('makes the row of a new job', async () => {
    const { start, events } = newWorld();
    expect(await start('first', 'refuse')).toMatchObject({ generation: 1, holder: 'first', leaseExpiresAtMs: NOW + 10_000 });
    expect(events).toEqual([]);
  });

  it('from a savepoint leaves a job stopped, or failed, that was: if it dies, nothing goes on where the job was', async () => {
    const { start, epochs, pass } = newWorld();
    const { generation } = await start('first', 'allow');
    await epochs.releaseLease('job', generation, { desired: 'stopped', failure: 'it failed' });
    const startAt: StartAt = { at: { savepoint: 'kept' }, once: 'asked', drop: [], onWrittenAgain: 'allow' };
    for (const takeover of ['allow', 'refuse'] as const) {
      expect(await start('second', takeover, startAt)).toMatchObject({ desired: 'stopped', failure: 'it failed' });
      pass(11_000);
    }
    expect(await start('third', 'allow')).toMatchObject({ desired: 'running', failure: undefined, generation: generation + 3 });
  });

  it('takes over a job that is held, and says so before it does', async () => {
    const { start, events } = newWorld();
    await start('first', 'allow');
    expect(await start('second', 'allow')).toMatchObject({ generation: 2, holder: 'second' });
    expect(events).toEqual([{ event: 'takes-over', message: expect.stringContaining('from generation 1 of first') }]);
  });

  it('that its own checks refuse leaves a job that is held as it is', async () => {
    const { start, epochs, events } = newWorld(undefined, () => Promise.reject(new StartRefusedError('the topic is not there')));
    const held = await start('first', 'allow');
    await expect(start('second', 'allow')).rejects.toThrow('the topic is not there');
    expect(await epochs.readJob('job')).toEqual(held);
    expect(events).toEqual([]);
  });

  it('whose checks take longer than the lease takes one that is not over', async () => {
    const { start, pass } = newWorld(undefined, async () => pass(60_000));
    await start('first', 'allow');
    expect(await start('second', 'allow')).toMatchObject({ holder: 'second', leaseExpiresAtMs: NOW + 70_000 });
  });

  it('that must not take over leaves a job that is held as it is', async () => {
    const { start, epochs } = newWorld();
    const held = await start('first', 'allow');
    await expect(start('second', 'refuse')).rejects.toThrow(StartRefusedError);
    expect(await epochs.readJob('job')).toEqual(held);
  });

  it.each([
    ['was stopped', { desired: 'stopped', failure: undefined }],
    ['has failed', { desired: 'as-it-is', failure: 'it broke' }],
  ] as const)('that must not take over starts a job that %s, lets it run, and goes on from the row as it is then', async (_how, end) => {
    const { start, epochs } = newWorld((store) => ({
      async setDesired(...args) {
        await new Promise((resolve) => setImmediate(resolve));
        return store.setDesired(...args);
      },
    }));
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, end);
    const row = await start('second', 'refuse');
    expect(row).toMatchObject({ generation: 2, holder: 'second', desired: 'running', failure: undefined });
    expect(row).toEqual(await epochs.readJob('job'));
  });

  it('that must not take over loses to one that took the lease between its reading and its writing', async () => {
    let overtaken = false;
    const { start, epochs } = newWorld((store) => ({
      async startGeneration(...args) {
        if (!overtaken) await store.raiseGeneration('job', 'quicker', NOW + 10_000);
        overtaken = true;
        return store.startGeneration(...args);
      },
    }));
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, { desired: 'as-it-is', failure: undefined });
    await expect(start('slower', 'refuse')).rejects.toThrow(/held by generation 2 of quicker/);
    expect(await epochs.readJob('job')).toMatchObject({ generation: 2, holder: 'quicker' });
  });

  it('that must not take over does not let a job run again that a person stops as soon as it has the lease', async () => {
    const { start, epochs } = newWorld((store) => ({
      async startGeneration(...args) {
        const taken = await store.startGeneration(...args);
        await store.setDesired('job', 'stopped');
        return taken;
      },
    }));
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, { desired: 'stopped', failure: undefined });
    expect(await start('second', 'refuse')).toMatchObject({ generation: 2, desired: 'running' });
    expect(await epochs.readJob('job')).toMatchObject({ generation: 2, desired: 'stopped' });
  });

  it('that must not take over knows the lease that it took itself when the answer was lost', async () => {
    const { start, epochs } = newWorld(undefined, undefined, 'startGeneration');
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, { desired: 'as-it-is', failure: undefined });
    expect(await start('second', 'refuse')).toMatchObject({ generation: 2, holder: 'second' });
    expect(await epochs.readJob('job')).toMatchObject({ generation: 2, holder: 'second' });
  });
});

describe('a revival', () => {
  it('takes the lease that was given up, says when it will end, and clears nothing that a person set', async () => {
    const { start, revive, epochs } = newWorld();
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, { desired: 'as-it-is', failure: undefined });
    expect(await revive('tick')).toMatchObject({ generation: 2, holder: 'tick', holderEndsAtMs: NOW + 60_000 });
    expect(await epochs.readJob('job')).toMatchObject({ generation: 2, leaseExpiresAtMs: NOW + 10_000, holderEndsAtMs: NOW + 60_000 });
  });

  it('that had to wait for the row takes a lease that ran out meanwhile', async () => {
    const { start, revive, pass } = newWorld((store) => ({
      async readJob(job) {
        const row = await store.readJob(job);
        if (row !== undefined) pass(20_000);
        return row;
      },
    }));
    await start('first', 'allow');
    expect(await revive('tick')).toMatchObject({ generation: 2, holder: 'tick' });
  });

  it('makes no row, and takes over from nobody', async () => {
    const { start, revive, epochs } = newWorld();
    await expect(revive('tick')).rejects.toThrow(/first start is an explicit one/);
    expect(await epochs.readJob('job')).toBeUndefined();
    await start('first', 'allow');
    await expect(revive('tick')).rejects.toThrow(/held by generation 1 of first/);
  });

  it.each<[string, (store: EpochStore) => Promise<unknown>, RegExp]>([
    ['a person stops while it starts', (store) => store.setDesired('job', 'stopped'), /was asked to stop/],
    [
      'whoever was taken for dead says to have failed while it starts',
      (store) => store.releaseLease('job', 1, { desired: 'as-it-is', failure: 'it broke' }),
      /failed and waits for a person .*it broke/,
    ],
  ])('does not start a job that %s', async (_how, happens, why) => {
    const { start, revive, epochs } = newWorld((store) => ({
      async reviveGeneration(...args) {
        await happens(store);
        return store.reviveGeneration(...args);
      },
    }));
    await start('first', 'allow');
    await epochs.renewLease('job', 1, NOW - 1);
    await expect(revive('tick')).rejects.toThrow(why);
    expect(await epochs.readJob('job')).toMatchObject({ generation: 1, holder: 'first' });
  });

  it('that was asked for twice, under one name, takes the lease once: two that hold one generation could not tell each other apart', async () => {
    const read = Promise.withResolvers<void>();
    let readers = 0;
    const { start, revive, epochs } = newWorld((store) => ({
      // Both have read the row before one of them takes it.
      async reviveGeneration(...args) {
        readers++;
        if (readers === 2) read.resolve();
        await read.promise;
        return store.reviveGeneration(...args);
      },
    }));
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, { desired: 'as-it-is', failure: undefined });
    const ends = await Promise.allSettled([revive('tick 0815'), revive('tick 0815')]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await epochs.readJob('job')).toMatchObject({ generation: 2 });
  });

  it('leaves the end of the one before behind', async () => {
    const { start, revive, epochs } = newWorld();
    await start('first', 'allow');
    await epochs.releaseLease('job', 1, { desired: 'as-it-is', failure: undefined });
    await revive('tick');
    expect((await start('by hand', 'allow')).holderEndsAtMs).toBeUndefined();
  });
});

describe('a job that is let run', () => {
  const settings = { job: 'job', startKind: 'explicit', holder: 'h' } as Partial<JobSettings> as JobSettings;

  /** The row after it, of a store that is slow to write. */
  async function letRunOf(
    stops: number,
    afterStops?: number,
    before: (epochs: EpochStore) => Promise<unknown> = async () => {},
  ): Promise<JobRow> {
    const { epochs, start } = newWorld();
    await start('h', 'allow');
    for (let nth = 0; nth < stops; nth++) await epochs.setDesired('job', 'stopped');
    const row = await epochs.readJob('job');
    if (row === undefined) throw new Error('there is no row');
    const slow: EpochStore = {
      ...epochs,
      async letRun(...of) {
        await new Promise((resolve) => setImmediate(resolve));
        await before(epochs);
        return epochs.letRun(...of);
      },
    };
    const deps = { epochs: slow, clock: { elapsedMs: () => 0 }, random: { fraction: () => 0 } } as unknown as CoordinatorDeps;
    return letRun(deps, { ...settings, afterStops }, row, never);
  }

  it('runs when that is answered', async () => {
    expect(await letRunOf(1)).toMatchObject({ desired: 'running' });
    expect(await letRunOf(2, 2)).toMatchObject({ desired: 'running' });
  });

  it('is left alone when it was asked to stop since its start was first tried', async () => {
    expect(await letRunOf(2, 1)).toMatchObject({ desired: 'stopped' });
  });

  it('is left alone when it is asked to stop between that it is taken and that it is let run', async () => {
    expect(await letRunOf(1, undefined, (epochs) => epochs.setDesired('job', 'stopped'))).toMatchObject({ desired: 'stopped', stops: 2 });
  });

  it('is not let run, and has failed still, when somebody else has stopped and started it since, of which it failed', async () => {
    const elsewhere = async (epochs: EpochStore) => {
      await epochs.setDesired('job', 'stopped');
      await epochs.setDesired('job', 'running');
      await epochs.releaseLease('job', 1, { desired: 'as-it-is', failure: 'no such topic' });
    };
    await expect(letRunOf(1, 1, elsewhere)).rejects.toMatchObject({ name: 'JobFailedError', message: 'no such topic' });
  });

  it('is not made anew by a start that is tried again, when somebody has deleted it since', async () => {
    const { epochs, start } = newWorld();
    await expect(start('h', 'allow', undefined, 0)).rejects.toThrow(/job job is not started again: it was deleted since/);
    expect(await epochs.readJob('job')).toBeUndefined();
  });

  it('is not let run by who has lost it meanwhile', async () => {
    const taken = letRunOf(1, undefined, (epochs) => epochs.raiseGeneration('job', 'another', NOW + 10_000));
    await expect(taken).rejects.toThrow(/another coordinator has taken over/);
  });
});
