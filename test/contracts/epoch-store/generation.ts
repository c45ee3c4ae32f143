import { describe, expect, it } from 'vitest';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { newId, newJobRow, poolOf } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** Who leads a job. */
export function generationContract(tried: Tried): void {
  const { read, startJob } = tried;

  describe('the generation', () => {
    it('is raised by an explicit start, which takes the lease, wants the job to run and clears the failure', async () => {
      const row = await startJob({ desired: 'stopped', failure: 'no such topic', pool: poolOf({ sink: 3 }) });
      const raised = await tried.store.raiseGeneration(row.job, 'second', 5_000);
      expect(raised).toEqual({ ...row, generation: 2, holder: 'second', leaseExpiresAtMs: 5_000, desired: 'running', failure: undefined });
      expect(await read(row.job)).toEqual(raised);
    });

    it('is taken with the end that its holder announces, and without the one of the holder before', async () => {
      const row = await startJob();
      expect(await tried.store.raiseGeneration(row.job, 'second', 5_000, 90_000)).toMatchObject({ generation: 2, holderEndsAtMs: 90_000 });
      expect(await read(row.job)).toMatchObject({ holderEndsAtMs: 90_000 });
      expect(await tried.store.reviveGeneration(row.job, { ...row, generation: 2 }, 'third', 6_000, 95_000)).toMatchObject({
        generation: 3,
        holderEndsAtMs: 95_000,
      });
      expect((await tried.store.raiseGeneration(row.job, 'fourth', 7_000)).holderEndsAtMs).toBeUndefined();
      expect((await read(row.job)).holderEndsAtMs).toBeUndefined();
    });

    it('is different for each of 20 coordinators that start at once', async () => {
      const row = await startJob();
      const raised = await Promise.all(Array.from({ length: 20 }, (_, index) => tried.store.raiseGeneration(row.job, `h${index}`, index)));
      expect(new Set(raised.map(({ generation }) => generation)).size).toBe(20);
      const last = await read(row.job);
      expect(last).toEqual(raised.find(({ generation }) => generation === last.generation));
      expect(last.generation).toBe(21);
    });

    it('is raised by a revival only when it is still the expected one, and the stop that a person asked for stays', async () => {
      const row = await startJob({ desired: 'stopped' });
      const revived = await tried.store.reviveGeneration(row.job, row, 'second', 5_000);
      expect(revived).toEqual({ ...row, generation: 2, holder: 'second', leaseExpiresAtMs: 5_000 });
      expect(await tried.store.reviveGeneration(row.job, row, 'third', 6_000)).toBeUndefined();
      expect(await read(row.job)).toEqual(revived);
    });

    it.each<[string, Partial<JobRow>, (row: JobRow) => Promise<unknown>]>([
      ['a person stopped', {}, ({ job }) => tried.store.setDesired(job, 'stopped')],
      ['a person let run again', { desired: 'stopped' }, ({ job }) => tried.store.setDesired(job, 'running')],
      ['has failed', {}, ({ job }) => tried.store.releaseLease(job, 1, { desired: 'as-it-is', failure: 'no such topic' })],
      ['was resumed', { failure: 'no such topic' }, ({ job }) => tried.store.setDesired(job, 'running')],
    ])('is not raised by a revival of a job that %s since it was looked at', async (_how, before, happens) => {
      const row = await startJob(before);
      await happens(row);
      const now = await read(row.job);
      expect(await tried.store.reviveGeneration(row.job, row, 'second', 5_000)).toBeUndefined();
      expect(await read(row.job)).toEqual(now);
      expect(await tried.store.reviveGeneration(row.job, now, 'second', 5_000)).toEqual({
        ...now,
        ...{ generation: 2, holder: 'second', leaseExpiresAtMs: 5_000 },
      });
    });

    it('is raised by a start that takes over from nobody only when it is still the expected one, and the job is to run', async () => {
      const row = await startJob({ desired: 'stopped', failure: 'no such topic' });
      const started = await tried.store.startGeneration(row.job, row, 'second', 5_000, 90_000);
      const lease = { generation: 2, holder: 'second', leaseExpiresAtMs: 5_000, holderEndsAtMs: 90_000 };
      expect(started).toEqual({ ...row, ...lease, desired: 'running', failure: undefined });
      await tried.store.setDesired(row.job, 'stopped');
      expect(await tried.store.startGeneration(row.job, row, 'third', 6_000)).toBeUndefined();
      expect(await read(row.job)).toEqual({ ...started, desired: 'stopped', stops: 1 });
    });

    it('is not raised by a revival of a job that was made anew since, and is at the same generation', async () => {
      const row = await startJob();
      expect(await tried.store.reviveGeneration(row.job, { ...row, incarnation: 'of-before' }, 'second', 5_000)).toBeUndefined();
      expect(await tried.store.startGeneration(row.job, { ...row, incarnation: 'of-before' }, 'second', 5_000)).toBeUndefined();
      expect(await read(row.job)).toEqual(row);
    });

    it('of 50 concurrent revivals exactly one gets it', async () => {
      const row = await startJob();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => tried.store.reviveGeneration(row.job, row, `h${index}`, index)),
      );
      const winners = answers.filter((answer) => answer !== undefined);
      expect(winners).toHaveLength(1);
      expect(await read(row.job)).toEqual(winners[0]);
    });

    it('of a job that was never created cannot be raised', async () => {
      const job = `job-${newId()}`;
      await expect(tried.store.raiseGeneration(job, 'h', 1)).rejects.toMatchObject({ name: 'StoreProblem', retriable: false });
      expect(await tried.store.reviveGeneration(job, newJobRow({ job }), 'h', 1)).toBeUndefined();
      expect(await tried.store.readJob(job)).toBeUndefined();
    });
  });
}
