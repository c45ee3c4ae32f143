import { describe, expect, it } from 'vitest';
import type { SentAgain } from '../../../lib/ports/epoch-store.ts';
import type { Pool } from '../../../lib/protocol/pool.ts';
import { decisionOf, manifestOf, newJobRow, poolOf } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** What the holder of the generation writes. */
export function holderContract(tried: Tried): void {
  const { read, startJob, jobAt } = tried;

  describe('the holder of the generation', () => {
    it('renews its lease', async () => {
      const row = await startJob();
      expect(await tried.store.renewLease(row.job, 1, 9_000)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 9_000 });
    });

    it('says with its lease what is under way, and a renewal without it leaves that as it was', async () => {
      const row = await startJob();
      const failure = { atMs: 4_000, epoch: 3, stage: 'count', kind: 'user-code', message: 'count: no', stack: 'Error: no' };
      const underWay = {
        ...{ generation: 1, atMs: 5_000 },
        attempts: [
          { epoch: 3, attempt: 2, plannedAtMs: 4_500, phase: 'working', stages: { read: { afterMs: 4, ms: 9 }, count: { afterMs: 14 } } },
        ],
        failed: [{ ...failure, input: [{ topic: 'in', partition: 0, from: 8, bound: 9 }] }],
      };
      expect(await tried.store.renewLease(row.job, 1, 9_000, underWay)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 9_000, underWay });
      expect(await tried.store.renewLease(row.job, 1, 10_000)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 10_000, underWay });
      expect(await tried.store.renewLease(row.job, 2, 11_000, { ...underWay, attempts: [] })).toBe('superseded');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 10_000, underWay });
    });

    it('releases its lease and records why the job ended', async () => {
      const row = await startJob();
      expect(await tried.store.releaseLease(row.job, 1, { desired: 'stopped', failure: 'data loss' })).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 0, desired: 'stopped', failure: 'data loss', stops: 1 });
    });

    it('that ends because it was told to stop counts that as a stop', async () => {
      const row = await startJob();
      await tried.store.setDesired(row.job, 'stopped');
      expect(await tried.store.releaseLease(row.job, 1, { desired: 'stopped', failure: undefined })).toBe('written');
      expect(await read(row.job)).toMatchObject({ desired: 'stopped', stops: 2 });
    });

    it.each(['stopped', 'running'] as const)('that ends does not undo what a person asked for meanwhile (%s)', async (desired) => {
      const row = await startJob({ desired: desired === 'stopped' ? 'running' : 'stopped' });
      await tried.store.setDesired(row.job, desired);
      expect(await tried.store.releaseLease(row.job, 1, { desired: 'as-it-is', failure: undefined })).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 0, desired, ...(desired === 'stopped' && { stops: 1 }) });
    });

    it('lets no job run whose lease it has given up: of that it may have failed', async () => {
      const row = await startJob({ desired: 'stopped' });
      await tried.store.releaseLease(row.job, 1, { desired: 'as-it-is', failure: 'no such topic' });
      await tried.store.letRun(row.job, 1, 0);
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 0, desired: 'stopped', failure: 'no such topic' });
    });

    it('lets the job run, and forgets why it failed, unless it was asked to stop since', async () => {
      const row = await startJob({ desired: 'stopped', failure: 'no such topic' });
      expect(await tried.store.letRun(row.job, 2, 0)).toBe('superseded');
      expect(await read(row.job)).toEqual(row);
      expect(await tried.store.letRun(row.job, 1, 0)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, desired: 'running', failure: undefined });
      await tried.store.setDesired(row.job, 'stopped');
      expect(await tried.store.letRun(row.job, 1, 0)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, desired: 'stopped', failure: undefined, stops: 1 });
      expect(await tried.store.letRun(row.job, 2, 0)).toBe('superseded');
      expect(await tried.store.letRun(row.job, 1, 1)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, desired: 'running', failure: undefined, stops: 1 });
    });

    it('records that the job makes no progress, and takes it back', async () => {
      const row = await startJob();
      const noProgress = { generation: 1, sinceMs: 5_000, failuresInARow: 3, lastError: 'epoch 4: no' };
      expect(await tried.store.recordNoProgress(row.job, 1, noProgress)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, noProgress });
      expect(await tried.store.recordNoProgress(row.job, 1, { generation: 1, sinceMs: 5_000, failuresInARow: 0 })).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, noProgress: { generation: 1, sinceMs: 5_000, failuresInARow: 0 } });
      expect(await tried.store.recordNoProgress(row.job, 1, undefined)).toBe('written');
      expect(await read(row.job)).toEqual(row);
    });

    it('widens the pool, never narrows it, and keeps sinks that it does not name', async () => {
      const row = await startJob();
      const widen = (pool: Pool) => tried.store.widenPool(row.job, 1, pool);
      expect(await widen(poolOf({ a: 2, 'b.c': 1 }, { a: ['out'] }))).toBe('written');
      expect(await widen(poolOf({ a: 1, d: 4 }, { a: ['out'] }))).toBe('written');
      expect((await read(row.job)).pool).toEqual(poolOf({ a: 2, 'b.c': 1, d: 4 }, { a: ['out'] }));
      expect(await widen(poolOf({ a: 3, d: 0 }, { a: ['other'], d: ['out'] }))).toBe('written');
      expect(await widen(poolOf({ a: 3 }))).toBe('written');
      expect(await widen({ other: poolOf({ a: 1 })['kafka'] ?? {} })).toBe('written');
      const own = poolOf({ a: 3, 'b.c': 1, d: 4 }, { a: ['out', 'other'], d: ['out'] });
      expect(await read(row.job)).toEqual({ ...row, pool: { ...own, other: { a: { subtasks: 1, places: [] } } } });
    });

    it('records what was sent again of the last epoch, each time in place of what was seen, until the next is decided', async () => {
      const { job } = await startJob();
      await tried.store.decide(decisionOf(await read(job)));
      const { lastCompleted } = await read(job);
      const sent = (id: string, decisionId = lastCompleted?.decisionId ?? ''): SentAgain => ({
        decisionId,
        id,
        committables: { at: 'row', list: manifestOf(newJobRow(), 0, decisionId, undefined).committables },
      });
      expect(await tried.store.recordSentAgain(job, 1, sent('a'), undefined)).toBe('written');
      expect(await tried.store.recordSentAgain(job, 1, sent('a'), undefined)).toBe('written');
      expect((await read(job)).sentAgain).toEqual(sent('a'));
      expect(await tried.store.recordSentAgain(job, 1, sent('b'), 'a')).toBe('written');
      await expect(tried.store.recordSentAgain(job, 1, sent('c'), 'a')).rejects.toThrow(/b/);
      await expect(tried.store.recordSentAgain(job, 1, sent('c'), undefined)).rejects.toThrow(/b/);
      await expect(tried.store.recordSentAgain(job, 1, sent('c', 'another'), undefined)).rejects.toThrow(/another/);
      expect((await read(job)).sentAgain).toEqual(sent('b'));
      const blob: SentAgain = { ...sent('d'), committables: { at: 'blob', name: 'x/manifest' } };
      expect(await tried.store.recordSentAgain(job, 1, blob, 'b')).toBe('written');
      expect((await read(job)).sentAgain).toEqual(blob);
      await tried.store.decide(decisionOf(await read(job)));
      expect((await read(job)).sentAgain).toBeUndefined();
    });

    it('records a change of the graph', async () => {
      const row = await startJob();
      expect(await tried.store.setFingerprint(row.job, 1, 'graph-2')).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, fingerprint: 'graph-2' });
    });

    it('records commits, never back', async () => {
      const row = await jobAt(2);
      expect(await tried.store.recordCommitted(row.job, 1, 2)).toBe('written');
      expect(await tried.store.recordCommitted(row.job, 1, 1)).toBe('written');
      expect((await read(row.job)).lastCommitted).toBe(2);
    });

    it('cannot record the commit of an epoch that is not decided', async () => {
      const row = await jobAt(1);
      await expect(tried.store.recordCommitted(row.job, 1, 2)).rejects.toThrow(/the last that is decided is 1/);
      const fresh = await startJob();
      await expect(tried.store.recordCommitted(fresh.job, 1, 1)).rejects.toThrow(/the last that is decided is none/);
      expect((await read(row.job)).lastCommitted).toBe(0);
    });

    it('retires epochs, never back', async () => {
      const row = await jobAt(3);
      expect(await tried.store.retireThrough(row.job, 1, 1)).toBe('written');
      expect(await tried.store.retireThrough(row.job, 1, 2)).toBe('written');
      expect(await tried.store.retireThrough(row.job, 1, 1)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, retiredThrough: 2 });
    });

    it('cannot retire the newest epoch, nor one that is not committed', async () => {
      const row = await jobAt(3);
      expect(row.lastCommitted).toBe(2);
      await expect(tried.store.retireThrough(row.job, 1, 3)).rejects.toThrow(/cannot be retired/);
      expect(await tried.store.recordCommitted(row.job, 1, 3)).toBe('written');
      await expect(tried.store.retireThrough(row.job, 1, 3)).rejects.toThrow(/the newest is 3/);
      const fresh = await jobAt(0);
      await expect(tried.store.retireThrough(fresh.job, 1, 0)).rejects.toThrow(/cannot be retired/);
      expect((await read(row.job)).retiredThrough).toBe(-1);
      // Not even when decisions have run ahead of the commits.
      const ahead = decisionOf(row, { lastCommitted: 0 });
      expect(await tried.store.decide(ahead)).toBe('decided');
      await expect(tried.store.retireThrough(row.job, 1, 1)).rejects.toThrow(/cannot be retired: epochs up to 0 are committed/);
    });

    it('lets the rows of retired epochs expire and makes no row where one has gone', async () => {
      const row = await jobAt(2);
      const before = await tried.store.listEpochs(row.job, row.incarnation, -1);
      const inAnHour = (Math.floor(Date.now() / 1000) + 3_600) * 1000;
      for (const epoch of [0, 1, 7, 0, 1, 7]) await tried.store.expireEpoch(row.job, row.incarnation, epoch, inAnHour);
      const after = await tried.store.listEpochs(row.job, row.incarnation, -1);
      expect(after).toEqual(before.map((each) => (each.epoch < 2 ? { ...each, expiresAtMs: inAnHour } : each)));
      expect((await tried.store.readEpoch(row.job, row.incarnation, 1))?.expiresAtMs).toBe(inAnHour);
      expect((await tried.store.readEpoch(row.job, row.incarnation, 2))?.expiresAtMs).toBeUndefined();
    });
  });
}
