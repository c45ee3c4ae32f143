import { describe, expect, it } from 'vitest';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { newId } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** What people ask for. */
export function requestContract(tried: Tried): void {
  const { read, startJob } = tried;

  describe("a person's request to stop or run", () => {
    it('is written whatever the generation', async () => {
      const row = await startJob();
      await tried.store.raiseGeneration(row.job, 'second', 5_000);
      await tried.store.setDesired(row.job, 'stopped');
      expect((await read(row.job)).desired).toBe('stopped');
      await tried.store.setDesired(row.job, 'running');
      expect((await read(row.job)).desired).toBe('running');
    });

    it('to run clears the failure, and one to stop keeps it', async () => {
      const row = await startJob({ failure: 'no such topic' });
      await tried.store.setDesired(row.job, 'stopped');
      expect(await read(row.job)).toEqual({ ...row, desired: 'stopped', stops: 1 });
      await tried.store.setDesired(row.job, 'running');
      expect(await read(row.job)).toEqual({ ...row, failure: undefined, stops: 1 });
    });

    it('of one incarnation is not written to another', async () => {
      const row = await startJob();
      expect(await tried.store.setDesired(row.job, 'stopped', 'of-before')).toBe('superseded');
      expect(await read(row.job)).toEqual(row);
      expect(await tried.store.setDesired(row.job, 'stopped', row.incarnation)).toBe('written');
      expect((await read(row.job)).desired).toBe('stopped');
    });

    it('makes no row for a job that does not exist', async () => {
      const job = `job-${newId()}`;
      const failed = await tried.store.setDesired(job, 'stopped').catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(StoreProblem);
      expect(failed).toMatchObject({ retriable: false, message: expect.stringContaining(job) });
      expect(await tried.store.readJob(job)).toBeUndefined();
    });
  });

  describe("a person's request for other numbers of subtasks", () => {
    const rescale = (id: string, subtasks: Readonly<Record<string, number>> = { count: 8 }) => ({ id, subtasks, askedAtMs: 1 });

    it('is in the row, in place of the one that was seen, whatever the generation', async () => {
      const row = await startJob();
      expect(await tried.store.askRescale(row.job, row.incarnation, rescale('first'), undefined)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, rescale: rescale('first') });
      expect(await tried.store.askRescale(row.job, row.incarnation, rescale('second', { 'a.b': 2 }), 'first')).toBe('written');
      // Its first try was carried out, and nobody heard of it.
      expect(await tried.store.askRescale(row.job, row.incarnation, rescale('second', { 'a.b': 2 }), 'first')).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, rescale: rescale('second', { 'a.b': 2 }) });
    });

    it('of two at once is made once, and one that has not seen the last is not made', async () => {
      const row = await startJob();
      const both = ['one', 'other'].map((id) => tried.store.askRescale(row.job, row.incarnation, rescale(id), undefined));
      expect((await Promise.all(both)).toSorted()).toEqual(['superseded', 'written']);
      expect(await tried.store.askRescale(row.job, row.incarnation, rescale('third'), 'of-before')).toBe('superseded');
    });

    it('is not made of a job that is to stop, or was made anew', async () => {
      const stopped = await startJob({ desired: 'stopped' });
      expect(await tried.store.askRescale(stopped.job, stopped.incarnation, rescale('one'), undefined)).toBe('superseded');
      expect(await read(stopped.job)).toEqual(stopped);
      const row = await startJob();
      expect(await tried.store.askRescale(row.job, 'of-before', rescale('one'), undefined)).toBe('superseded');
      expect(await read(row.job)).toEqual(row);
      await expect(tried.store.askRescale(`job-${newId()}`, 'i', rescale('one'), undefined)).rejects.toBeInstanceOf(StoreProblem);
    });

    it('and what there is, which the holder records, are two things', async () => {
      const row = await startJob();
      const scale = { count: { subtasks: 2, least: 1, most: 8, since: { epoch: 4, atMs: 7, why: 'asked for by hand' } } };
      expect(await tried.store.recordScale(row.job, 1, scale)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, scale });
    });
  });
}
