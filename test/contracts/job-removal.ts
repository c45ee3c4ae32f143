import { beforeAll, expect, it } from 'vitest';
import type { EpochStore, JobRemoval, JobRow } from '../../lib/ports/epoch-store.ts';
import { decisionOf, newJobRow, poolOf } from './epoch-rows.ts';

export interface RemovalUnderTest {
  readonly store: EpochStore;
  /** The store as another process has it. */
  readonly another: EpochStore;
  readonly removal: JobRemoval;
}

/** What every `JobRemoval` promises, and what a store promises to the next job of the name. */
export function jobRemovalContract(open: () => Promise<RemovalUnderTest>): void {
  let store: EpochStore;
  let zombie: EpochStore;
  let removal: JobRemoval;

  beforeAll(async () => {
    ({ store, another: zombie, removal } = await open());
  });

  /** A job of generation 2, whose epochs 0 to `last` are decided. */
  async function jobWith(last: number): Promise<JobRow> {
    const row = newJobRow({ pool: poolOf({ sink: 3 }), failure: 'no such topic' });
    await store.createJob(row);
    let held = await store.raiseGeneration(row.job, 'the command', 5_000);
    await store.setDesired(row.job, 'stopped');
    for (let epoch = 0; epoch <= last; epoch++) {
      await store.decide(decisionOf(held));
      held = (await store.readJob(row.job)) ?? held;
    }
    return held;
  }

  const epochsOf = ({ job, incarnation }: JobRow) => store.listEpochs(job, incarnation, -1);

  it('makes it a job that has not run yet, then deletes its epochs, then its row', async () => {
    const row = await jobWith(30);
    expect(await removal.forgetEpochs(row, 'new')).toBe('written');
    expect(await removal.forgetEpochs(row, 'new')).toBe('written');
    const fresh = { ...row, incarnation: 'new', lastCompleted: undefined, lastCommitted: 0, retiredThrough: -1, pool: {} };
    expect(await store.readJob(row.job)).toEqual(fresh);
    expect(await epochsOf(row)).toHaveLength(31);
    expect(await removal.deleteEpochs(row.job, 'new')).toBe(31);
    expect(await epochsOf(row)).toEqual([]);
    expect(await removal.deleteEpochs(row.job, 'new')).toBe(0);
    expect(await removal.deleteJob(fresh)).toBe('written');
    expect(await removal.deleteJob(fresh)).toBe('written');
    expect(await store.readJob(row.job)).toBeUndefined();
  });

  it('leaves its savepoints, and tells the next job of its name nothing of where this one was from', async () => {
    const row = await jobWith(2);
    await store.recordCommitted(row.job, row.generation, 2);
    const { job, incarnation, generation, fingerprint, maxParallelism } = row;
    const [found] = await epochsOf(row);
    if (found === undefined) throw new Error('it has no epoch');
    const { epoch, decisionId, manifest, summary } = found;
    const of = { job, incarnation, fingerprint, maxParallelism, epoch, decisionId, manifest } as const;
    const savepoint = { ...of, name: 'kept', id: 'i1', standing: 'complete', createdAtMs: 5 } as const;
    expect(await store.createSavepoint(savepoint)).toBe('created');
    const startedFrom = [{ id: 'i2', savepoint: 'kept', incarnation, epoch, atMs: 6 }];
    const next = {
      leaves: incarnation,
      incarnation: 'next',
      former: [{ incarnation, leftAtMs: 6 }],
      startedFrom,
      leaseExpiresAtMs: 1,
      letsRunAfterStops: undefined,
    };
    expect(await store.beginIncarnation({ ...of, ...next, generation, summary, savepoint })).toBe('written');
    const begun = (await store.readJob(job)) ?? row;
    expect(await removal.forgetEpochs(begun, 'new')).toBe('written');
    expect(await store.readJob(job)).not.toHaveProperty('startedFrom.0');
    expect(await store.readJob(job)).not.toHaveProperty('former.0');
    expect(await removal.deleteEpochs(job, 'new')).toBe(4);
    expect(await removal.deleteJob({ ...row, incarnation: 'new' })).toBe('written');
    expect(await store.listSavepoints(job)).toEqual([savepoint]);
  });

  it('tells the next job of its name nothing of the subtasks that this one had, and was asked for', async () => {
    const row = await jobWith(1);
    await store.setDesired(row.job, 'running');
    expect(await store.askRescale(row.job, row.incarnation, { id: 'one', subtasks: { count: 8 }, askedAtMs: 1 }, undefined)).toBe(
      'written',
    );
    expect(await store.recordScale(row.job, row.generation, { count: { subtasks: 8, least: 1, most: 8 } })).toBe('written');
    await store.setDesired(row.job, 'stopped');
    expect(await removal.forgetEpochs(row, 'new')).toBe('written');
    const fresh = (await store.readJob(row.job)) ?? row;
    expect([fresh.rescale, fresh.scale]).toEqual([undefined, undefined]);
  });

  it('leaves the epochs of a job that was started anew meanwhile, and its row', async () => {
    const row = await jobWith(1);
    await removal.forgetEpochs(row, 'new');
    const restarted = await store.raiseGeneration(row.job, 'somebody', 9_000);
    await store.decide(decisionOf(restarted));
    expect(await removal.deleteEpochs(row.job, 'new')).toBe(2);
    expect(await epochsOf(restarted)).toHaveLength(1);
    expect(await removal.deleteJob({ ...row, incarnation: 'new' })).toBe('superseded');
    // Not even under the generation that holds it: it has an epoch.
    expect(await removal.deleteJob(restarted)).toBe('superseded');
    expect(await store.readJob(row.job)).toMatchObject({ generation: 3, lastCompleted: { epoch: 0 } });
  });

  it('leaves the epochs of a job that was deleted and made anew meanwhile', async () => {
    const row = await jobWith(1);
    await removal.forgetEpochs(row, 'new');
    await removal.deleteJob({ ...row, incarnation: 'new' });
    const anew = newJobRow({ job: row.job });
    await store.createJob(anew);
    await store.decide(decisionOf(anew));
    expect(await removal.deleteEpochs(row.job, 'new')).toBe('superseded');
    expect(await epochsOf(anew)).toHaveLength(1);
  });

  it('forgets nothing of a job that somebody has let run again', async () => {
    const { job } = await jobWith(1);
    await store.setDesired(job, 'running');
    const row = await store.readJob(job);
    if (row === undefined) throw new Error(`no row of ${job}`);
    expect(await removal.forgetEpochs(row, 'new')).toBe('superseded');
    expect(await store.readJob(job)).toEqual(row);
  });

  it('forgets nothing under a generation or an incarnation that does not hold the job', async () => {
    const row = await jobWith(1);
    expect(await removal.forgetEpochs({ ...row, generation: 1 }, 'new')).toBe('superseded');
    expect(await removal.forgetEpochs({ ...row, incarnation: 'another' }, 'new')).toBe('superseded');
    expect(await store.readJob(row.job)).toEqual(row);
  });

  it('lets no holder of its generations write to a job of the same name and generation that was made after it', async () => {
    const { job } = newJobRow();
    await zombie.createJob(newJobRow({ job }));
    const held = await zombie.raiseGeneration(job, 'zombie', 5_000);
    await removal.deleteJob(held);
    await store.createJob(newJobRow({ job, generation: 2 }));
    const row = await store.readJob(job);
    if (row === undefined) throw new Error('no row');
    await store.decide(decisionOf(row));
    const before = await store.readJob(job);
    expect(await zombie.renewLease(job, 2, 99_000)).toBe('superseded');
    expect(await zombie.releaseLease(job, 2, { desired: 'stopped', failure: 'fenced' })).toBe('superseded');
    expect(await zombie.widenPool(job, 2, poolOf({ sink: 9 }))).toBe('superseded');
    expect(await zombie.recordCommitted(job, 2, 0)).toBe('superseded');
    expect(await zombie.recordCommitted(job, 2, 7)).toBe('superseded');
    expect(await zombie.retireThrough(job, 2, 0)).toBe('superseded');
    expect(await zombie.decide(decisionOf({ ...row, incarnation: held.incarnation }))).toBe('refused');
    expect(await store.readJob(job)).toEqual(before);
    // The one who made it writes as ever.
    expect(await store.recordCommitted(job, 2, 0)).toBe('written');
  });
}
