import { describe, expect, it } from 'vitest';
import { decisionOf, newId } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** The rows of epochs. */
export function epochsContract(tried: Tried): void {
  const { read, startJob, jobAt } = tried;

  describe('epochs', () => {
    it('are listed oldest first, from the one after that is named, across pages', async () => {
      let row = await startJob();
      // Rows of 300 KB: DynamoDB cuts a page at 1 MB.
      for (let epoch = 0; epoch <= 5; epoch++) {
        const decision = decisionOf(row);
        if (decision.manifest.at !== 'row') throw new Error('the manifest is in the row');
        const outputs = { pad: [[{ at: 'inline' as const, base64: 'x'.repeat(300_000) }]] };
        expect(
          await tried.store.decide({ ...decision, manifest: { at: 'row', manifest: { ...decision.manifest.manifest, outputs } } }),
        ).toBe('decided');
        row = await read(row.job);
      }
      const epochs = async (after: number) => (await tried.store.listEpochs(row.job, row.incarnation, after)).map(({ epoch }) => epoch);
      expect(await epochs(-1)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await epochs(0)).toEqual([1, 2, 3, 4, 5]);
      expect(await epochs(4)).toEqual([5]);
      expect(await epochs(5)).toEqual([]);
    });

    it('of another incarnation are not listed', async () => {
      const row = await jobAt(1);
      expect(await tried.store.listEpochs(row.job, newId(), 10)).toEqual([]);
      expect(await tried.store.readEpoch(row.job, newId(), 1)).toBeUndefined();
    });

    it('are in the order of numbers, also past a digit', async () => {
      const row = await jobAt(11);
      expect((await tried.store.listEpochs(row.job, row.incarnation, 7)).map(({ epoch }) => epoch)).toEqual([8, 9, 10, 11]);
    });
  });
}
