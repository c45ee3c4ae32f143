import { beforeAll, describe, expect, it } from 'vitest';
import type { EpochStore, JobRow, NextIncarnation, Savepoint } from '../../lib/ports/epoch-store.ts';
import { decisionOf, newId, newJobRow } from './epoch-rows.ts';

/** What every `EpochStore` promises of savepoints. `open` is called twice: another process, that held a generation, writes late. */
export function savepointStoreContract(open: () => Promise<EpochStore>): void {
  let store: EpochStore;
  let zombie: EpochStore;

  beforeAll(async () => {
    store = await open();
    zombie = await open();
  });

  async function read(job: string): Promise<JobRow> {
    const row = await store.readJob(job);
    if (row === undefined) throw new Error(`no row of ${job}`);
    return row;
  }

  /** The job after epochs 0 … last were decided and committed. */
  async function jobAt(last: number, by: EpochStore = store): Promise<JobRow> {
    const row = newJobRow();
    expect(await by.createJob(row)).toBe('created');
    for (let epoch = 0; epoch <= last; epoch++) expect(await by.decide(decisionOf(await read(row.job)))).toBe('decided');
    expect(await by.recordCommitted(row.job, row.generation, last)).toBe('written');
    return read(row.job);
  }

  async function savepointOf(row: JobRow, change: Partial<Savepoint> = {}): Promise<Savepoint> {
    const epoch = change.epoch ?? row.lastCompleted?.epoch ?? 0;
    const found = await store.readEpoch(row.job, row.incarnation, epoch);
    if (found === undefined) throw new Error(`no epoch ${epoch}`);
    const { job, incarnation, fingerprint, maxParallelism } = row;
    const of = { job, incarnation, fingerprint, maxParallelism, epoch, decisionId: found.decisionId, manifest: found.manifest };
    return { ...of, name: 'before-1', id: newId(), standing: 'complete', createdAtMs: 1_000, ...change };
  }

  async function pinned(row: JobRow, change: Partial<Savepoint> = {}): Promise<Savepoint> {
    const savepoint = await savepointOf(row, change);
    expect(await store.createSavepoint(savepoint)).toBe('created');
    return savepoint;
  }

  async function nextOf(row: JobRow, of: Savepoint, change: Partial<NextIncarnation> = {}): Promise<NextIncarnation> {
    const incarnation = newId();
    const decisionId = newId();
    if (of.manifest.at !== 'row') throw new Error('it is in a blob');
    const { job, generation } = row;
    const from = { id: newId(), savepoint: of.name, incarnation: of.incarnation, epoch: of.epoch, atMs: 3_000 };
    return {
      job,
      generation,
      leaves: row.incarnation,
      incarnation,
      epoch: of.epoch,
      decisionId,
      manifest: { at: 'row', manifest: { ...of.manifest.manifest, incarnation, decisionId, parentDecisionId: of.decisionId } },
      summary: { plannedAtMs: 1, decidedAtMs: 1, attempts: 1, recordsIn: 0, recordsOut: 0 },
      fingerprint: 'graph-2',
      maxParallelism: 64,
      leaseExpiresAtMs: 77_000,
      startedFrom: [from],
      former: [{ incarnation: row.incarnation, leftAtMs: 3_000 }],
      letsRunAfterStops: undefined,
      savepoint: of,
      ...change,
    };
  }

  describe('a savepoint', () => {
    it('is read back as it was, with its manifest, and listed by name', async () => {
      const row = await jobAt(3);
      const later = await pinned(row, { name: 'b', epoch: 2 });
      const first = await pinned(row, { name: 'a', manifest: { at: 'blob', name: `${row.job}/x/manifest/m-0-000000000003-a` } });
      expect(await store.readSavepoint(row.job, 'b')).toEqual(later);
      expect(await store.listSavepoints(row.job)).toEqual([first, later]);
      expect(await store.readSavepoint(row.job, 'c')).toBeUndefined();
      expect(await store.listSavepoints(`job-${newId()}`)).toEqual([]);
    });

    it('has its name alone; who repeats its own creation is answered as before', async () => {
      const row = await jobAt(1);
      const savepoint = await pinned(row);
      expect(await store.createSavepoint(savepoint)).toBe('created');
      expect(await store.createSavepoint({ ...savepoint, id: newId() })).toBe('exists');
      expect(await store.readSavepoint(row.job, savepoint.name)).toEqual(savepoint);
    });

    it('is refused of an epoch that is RETIRED, that is not COMMITTED, and of a job in another incarnation or that is not there', async () => {
      const row = await jobAt(3);
      await store.retireThrough(row.job, row.generation, 1);
      expect(await store.createSavepoint(await savepointOf(row, { epoch: 1 }))).toBe('refused');
      expect(await store.createSavepoint(await savepointOf(row, { epoch: 2 }))).toBe('created');
      await store.decide(decisionOf(await read(row.job)));
      expect(await store.createSavepoint(await savepointOf(await read(row.job), { epoch: 4, name: 'x' }))).toBe('refused');
      expect(await store.createSavepoint(await savepointOf(row, { incarnation: newId(), name: 'x' }))).toBe('refused');
      expect(await store.createSavepoint(await savepointOf(row, { job: `job-${newId()}`, name: 'x' }))).toBe('refused');
      const unborn = newJobRow();
      await store.createJob(unborn);
      expect(await store.createSavepoint({ ...(await savepointOf(row)), job: unborn.job, incarnation: unborn.incarnation, epoch: 0 })).toBe(
        'refused',
      );
    });

    it('of 20 at once under one name there is one', async () => {
      const row = await jobAt(1);
      const all = await Promise.all(Array.from({ length: 20 }, () => savepointOf(row)));
      const answers = await Promise.all(all.map((each) => store.createSavepoint(each)));
      const winners = all.filter((_, index) => answers[index] === 'created');
      expect(winners).toHaveLength(1);
      expect(await store.readSavepoint(row.job, 'before-1')).toEqual(winners[0]);
    });

    it('and a retiring of its epoch at once: either it is refused, or it is there when the retiring has succeeded', async () => {
      for (let times = 0; times < 5; times++) {
        const row = await jobAt(2);
        const savepoint = await savepointOf(row, { epoch: 1 });
        const seen = store.retireThrough(row.job, row.generation, 1).then(() => store.listSavepoints(row.job));
        const [created, after] = await Promise.all([store.createSavepoint(savepoint), seen]);
        expect(after.length).toBe(created === 'created' ? 1 : 0);
      }
    });

    it('goes in two steps: it is marked, then its row is deleted; of its name alone nobody deletes another', async () => {
      const row = await jobAt(1);
      const savepoint = await pinned(row);
      await store.deleteSavepoint(savepoint);
      expect(await store.readSavepoint(row.job, savepoint.name)).toEqual(savepoint);
      expect(await store.moveSavepoint({ ...savepoint, id: newId() }, 'deleting')).toBe('gone');
      expect(await store.moveSavepoint(savepoint, 'deleting')).toBe('moved');
      expect(await store.readSavepoint(row.job, savepoint.name)).toEqual({ ...savepoint, standing: 'deleting' });
      expect(await store.moveSavepoint(savepoint, 'deleting')).toBe('moved');
      expect(await store.moveSavepoint(savepoint, 'complete')).toBe('gone');
      await store.deleteSavepoint({ ...savepoint, id: newId() });
      expect(await store.listSavepoints(row.job)).toHaveLength(1);
      await store.deleteSavepoint(savepoint);
      await store.deleteSavepoint(savepoint);
      expect(await store.listSavepoints(row.job)).toEqual([]);
      expect(await store.moveSavepoint(savepoint, 'deleting')).toBe('gone');
    });

    it('that is imported needs no job, and is complete when that is said; who repeats the import late changes nothing', async () => {
      const of = await savepointOf(await jobAt(1));
      const imported: Savepoint = { ...of, job: `job-${newId()}`, standing: 'importing' };
      expect(await store.importSavepoint(imported)).toBe('created');
      expect(await store.importSavepoint({ ...imported, id: newId() })).toBe('exists');
      expect(await store.moveSavepoint(imported, 'complete')).toBe('moved');
      expect(await store.importSavepoint(imported)).toBe('created');
      expect(await store.readSavepoint(imported.job, imported.name)).toEqual({ ...imported, standing: 'complete' });
    });
  });

  describe('an incarnation that begins at a savepoint', () => {
    it('has its first epoch, nothing to settle, and says where it is from and what it has left', async () => {
      const row = await jobAt(3);
      const next = await nextOf(row, await pinned(row, { epoch: 2 }));
      await store.widenPool(row.job, row.generation, { kafka: { sink: { subtasks: 2, places: ['t'] } } });
      expect(await store.beginIncarnation(next)).toBe('written');
      const { incarnation, decisionId, fingerprint, maxParallelism, startedFrom, former } = next;
      expect(await read(row.job)).toEqual({
        ...row,
        ...{ incarnation, fingerprint, maxParallelism, startedFrom, former, pool: {} },
        ...{ lastCompleted: { epoch: 2, decisionId }, lastCommitted: 2, retiredThrough: 1, leaseExpiresAtMs: 77_000 },
      });
      const [first, ...others] = await store.listEpochs(row.job, incarnation, -1);
      expect(first).toMatchObject({ epoch: 2, decisionId, manifest: next.manifest });
      expect(others).toEqual([]);
      // What the old one has is there to be looked at, and its holder goes on under its generation.
      expect(await store.listEpochs(row.job, row.incarnation, -1)).toHaveLength(4);
      expect(await store.decide(decisionOf(await read(row.job)))).toBe('decided');
      expect(await store.renewLease(row.job, row.generation, 99_000)).toBe('written');
      expect(await store.forgetFormer(row.job, row.generation, row.incarnation)).toBe('written');
      expect((await read(row.job)).former).toEqual([]);
    });

    it('lets a job run that was stopped or has failed, if that is said; a stop that is asked for meanwhile stays otherwise', async () => {
      const row = await jobAt(2);
      const savepoint = await pinned(row);
      await store.setDesired(row.job, 'stopped');
      expect(await store.beginIncarnation(await nextOf(row, savepoint))).toBe('written');
      const stopped = await read(row.job);
      expect(stopped.desired).toBe('stopped');
      await store.releaseLease(row.job, row.generation, { desired: 'as-it-is', failure: 'it failed' });
      expect(await store.beginIncarnation(await nextOf(stopped, savepoint, { letsRunAfterStops: stopped.stops ?? 0 }))).toBe('written');
      const runs = await read(row.job);
      expect([runs.desired, runs.failure]).toEqual(['running', undefined]);
    });

    it('leaves a job stopped that was asked to stop once more meanwhile', async () => {
      const row = await jobAt(2);
      const savepoint = await pinned(row);
      await store.setDesired(row.job, 'stopped');
      const seen = await read(row.job);
      await store.setDesired(row.job, 'stopped');
      const next = await nextOf(seen, savepoint, { letsRunAfterStops: seen.stops ?? 0 });
      expect(await store.beginIncarnation(next)).toBe('written');
      const stopped = await read(row.job);
      expect([stopped.incarnation, stopped.desired]).toEqual([next.incarnation, 'stopped']);
    });

    it('that is asked for twice begins once', async () => {
      const row = await jobAt(3);
      const next = await nextOf(row, await pinned(row));
      expect(await store.beginIncarnation(next)).toBe('written');
      await store.decide(decisionOf(await read(row.job)));
      const before = await read(row.job);
      expect(await store.beginIncarnation(next)).toBe('written');
      expect(await read(row.job)).toEqual(before);
    });

    it('is refused when the savepoint is gone, is being deleted, is not complete, or is another of its name', async () => {
      const row = await jobAt(3);
      const savepoint = await pinned(row);
      const next = await nextOf(row, savepoint);
      expect(await store.beginIncarnation({ ...next, savepoint: { ...savepoint, id: newId() } })).toBe('refused');
      expect(await store.beginIncarnation({ ...next, savepoint: { ...savepoint, name: 'other' } })).toBe('refused');
      await store.importSavepoint({ ...savepoint, name: 'half', standing: 'importing' });
      expect(await store.beginIncarnation({ ...next, savepoint: { ...savepoint, name: 'half' } })).toBe('refused');
      await store.moveSavepoint(savepoint, 'deleting');
      expect(await store.beginIncarnation(next)).toBe('refused');
      expect(await read(row.job)).toEqual(row);
      expect(await store.listEpochs(row.job, next.incarnation, -1)).toEqual([]);
    });

    it('begins at an epoch that is retained without one, and is refused at one that is RETIRED', async () => {
      const row = await jobAt(4);
      await store.retireThrough(row.job, row.generation, 1);
      const [retired, retained] = [await savepointOf(row, { epoch: 1 }), await savepointOf(row, { epoch: 2 })];
      expect(await store.beginIncarnation(await nextOf(row, retired, { savepoint: undefined }))).toBe('refused');
      expect(await store.beginIncarnation(await nextOf(row, retained, { savepoint: undefined }))).toBe('written');
      expect((await read(row.job)).lastCommitted).toBe(2);
    });

    it('waits until everything that is decided is committed', async () => {
      const row = await jobAt(2);
      const savepoint = await pinned(row);
      await store.decide(decisionOf(await read(row.job)));
      expect(await store.beginIncarnation(await nextOf(row, savepoint))).toBe('refused');
      await store.recordCommitted(row.job, row.generation, 3);
      expect(await store.beginIncarnation(await nextOf(row, savepoint))).toBe('written');
    });

    it('is of the holder alone, who holds nothing of the incarnation before any more', async () => {
      const row = await jobAt(3, zombie);
      const savepoint = await pinned(row);
      const raised = await store.raiseGeneration(row.job, 'second', 9_000);
      expect(await zombie.beginIncarnation(await nextOf(row, savepoint))).toBe('superseded');
      expect(await store.beginIncarnation(await nextOf(raised, savepoint, { leaves: newId() }))).toBe('superseded');
      expect(await store.beginIncarnation(await nextOf(raised, savepoint))).toBe('written');
      expect(await store.decide(decisionOf({ ...raised, generation: raised.generation }))).toBe('refused');
      expect(await store.createSavepoint({ ...(await savepointOf(row)), name: 'late' })).toBe('refused');
      expect(await zombie.retireThrough(row.job, row.generation, 1)).toBe('superseded');
      expect(await zombie.forgetFormer(row.job, row.generation, row.incarnation)).toBe('superseded');
    });
  });
}
