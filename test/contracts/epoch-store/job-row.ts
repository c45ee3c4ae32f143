import { describe, expect, it } from 'vitest';
import { newId, newJobRow, poolOf } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** The row of a job is made once. */
export function jobRowContract(tried: Tried): void {
  const { read, startJob } = tried;

  describe('the job row', () => {
    it('is created once and read back as it was', async () => {
      const row = await startJob({ pool: poolOf({ 'write-counts': 2 }), holder: 'host 1, process 7' });
      expect(await read(row.job)).toEqual(row);
      expect(await tried.store.createJob(newJobRow({ job: row.job, holder: 'second' }))).toBe('exists');
      expect(await read(row.job)).toEqual(row);
    });

    it('is undefined for a job that was never created', async () => {
      expect(await tried.store.readJob(`job-${newId()}`)).toBeUndefined();
    });

    it('of 50 concurrent creations exactly one is the row', async () => {
      const job = `job-${newId()}`;
      const rows = Array.from({ length: 50 }, (_, index) => newJobRow({ job, holder: `h${index}` }));
      const answers = await Promise.all(rows.map((row) => tried.store.createJob(row)));
      const winners = rows.filter((_, index) => answers[index] === 'created');
      expect(winners).toHaveLength(1);
      expect(await read(job)).toEqual(winners[0]);
    });
  });
}
